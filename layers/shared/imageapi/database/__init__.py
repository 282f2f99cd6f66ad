"""PostgreSQL: the connection, and the version of the schema.

Enter at ``db.query()`` and ``db.transaction()``; ``name_lookup`` finds the server. ``migrations.migrate()``
makes the schema or brings it up to date. SQL on the tables of images is in ``catalog`` and ``search`` only.
"""
