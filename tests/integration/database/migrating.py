"""A database to migrate, and the functions' own users of it."""

from contextlib import closing
from typing import Any

from imageapi.database.migrations import migrate

from tests.integration.stores import SCHEMA, Configure, Row, Stores
from tests.support.events import LambdaContext, load_handler

DATABASE = "migrating"
PASSWORD = "it's secret"
USERS = {"DB_SERVICE_USER": "the service", "DB_MANAGER_USER": "the manager"}
LOGINS = USERS | {"DB_SERVICE_PASSWORD": PASSWORD, "DB_MANAGER_PASSWORD": PASSWORD}


def run(stores: Stores, sql: str, database: str = DATABASE) -> list[Row]:
    with closing(stores.postgres.connect(database)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        if cursor.description is None:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def become_owner(stores: Stores, configure: Configure) -> None:
    configure(POSTGRES_USER=stores.postgres.user, POSTGRES_PASSWORD=stores.postgres.password)


def become(configure: Configure, user: str, password: str = PASSWORD) -> None:
    """The service connects as "the service" or "the manager"."""
    configure(POSTGRES_USER=user, POSTGRES_PASSWORD=password)


def make_first_release() -> None:
    """A database to which no migration has been applied."""
    migrate(SCHEMA.read_text(encoding="utf-8"), [])


def invoke() -> dict[str, Any]:
    return load_handler("MigrateFunction")({}, LambdaContext())
