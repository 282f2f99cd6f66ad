"""The sweep: a scheduled job that settles (finishes or undoes) work that a crash interrupted.

Entry points: ``run.sweep()``, and after a restore ``verify.verify()``. ``expired_rows`` settles expired
uploads, removals and variants, and empties the trash. ``compare_stores`` compares objects with rows;
``orphans`` removes objects without a row. ``report`` counts. ``restore_objects`` restores older versions.
"""
