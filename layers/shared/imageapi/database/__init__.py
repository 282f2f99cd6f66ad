"""PostgreSQL: the connection and the schema's version.

Entry points: ``db.query()`` and ``db.transaction()``. ``resolve_host`` resolves the server's address.
``migrations.migrate()`` creates or updates the schema, ``grants`` says who may do what; ``locks`` has the classes of advisory locks. SQL on
image tables is in ``catalog`` and ``search`` only.
"""
