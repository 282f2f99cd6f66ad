"""PostgreSQL: the connection, the schema's version, and its users.

Entry points: ``db.query()`` and ``db.transaction()``. ``resolve_host`` resolves the server's address.
``migrations.migrate()`` creates or updates the schema; ``grants`` says what each user may do; ``locks`` has
the classes of advisory locks. SQL on image tables is in ``catalog`` and ``search`` only.
"""
