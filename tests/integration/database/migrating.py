"""A database to migrate, and the functions' own user of it."""

from contextlib import closing
from typing import Any

from imageapi.database.migrations import migrate

from tests.integration.stores import SCHEMA, Row, Stores
from tests.support.events import LambdaContext, load_handler

DATABASE = "migrating"
SERVICE = {"DB_SERVICE_USER": "the service", "DB_SERVICE_PASSWORD": "it's secret"}


def run(stores: Stores, sql: str, database: str = DATABASE) -> list[Row]:
    with closing(stores.postgres.connect(database)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        if cursor.description is None:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def make_first_release() -> None:
    """A database to which no migration has been applied."""
    migrate(SCHEMA.read_text(encoding="utf-8"), [])


def invoke() -> dict[str, Any]:
    return load_handler("MigrateFunction")({}, LambdaContext())
