"""PostgreSQL: the connection, the schema's version, and its users.

Entry points: ``db.query()`` and ``db.transaction()``. ``resolve_host`` resolves the server's address.
``migrations.migrate()`` creates or updates the schema. ``grants`` defines each user's privileges, and
``locks`` the classes of advisory locks. Only ``catalog`` and ``search`` contain SQL on image tables.
"""
