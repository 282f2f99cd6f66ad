"""The sweep: settles on a schedule what crashes leave behind.

Enter at ``run.sweep()``. ``rows`` settles uploads, deletions and variants that nobody works on any more,
``compare_stores`` compares all objects with all rows, ``orphans`` decides about objects without a row,
``report`` counts.
"""
