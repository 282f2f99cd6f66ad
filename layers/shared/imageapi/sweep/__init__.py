"""The sweep: on a schedule, settles (finishes or undoes) what crashes leave behind.

Entry point: ``run.sweep()``. ``expired_leases`` settles expired uploads, deletions and variants,
``compare_stores`` compares objects with rows, ``orphans`` decides about objects without a row, ``report``
counts.
"""
