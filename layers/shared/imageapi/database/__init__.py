"""PostgreSQL: the connection, and the version of the schema.

Enter at ``db.query()`` and ``db.transaction()``. ``migrations.migrate()`` makes the schema or brings it up to
date. SQL on the tables of images is in ``catalog`` and ``search`` only.
"""
