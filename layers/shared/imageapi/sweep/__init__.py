"""The sweep: on a schedule, settles (finishes or undoes) what crashes leave behind.

Entry points: ``run.sweep()``, and after a restore ``verify.verify()``. ``expired_rows`` settles expired
uploads, removals and variants, and empties the trash; ``compare_stores`` compares objects with rows,
``orphans`` decides about objects without a row, ``report`` counts, ``restore_objects`` brings back what the
bucket has versions of.
"""
