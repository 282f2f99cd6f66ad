"""An empty database, and a migrated one with the functions' own users."""

from collections.abc import Iterator

import pytest
from imageapi.database import db

from tests.integration.database.migrating import DATABASE, LOGINS, USERS, become, become_owner, invoke, run
from tests.integration.stores import Configure, Stores


@pytest.fixture
def empty(stores: Stores, configure: Configure) -> Iterator[Stores]:
    """An empty database, to which the service connects as the owner."""
    run(stores, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", "postgres")
    run(stores, f"CREATE DATABASE {DATABASE}", "postgres")
    configure(POSTGRES_DB=DATABASE, DB_STATEMENT_TIMEOUT="30")
    become_owner(stores, configure)
    yield stores
    db.close()
    run(stores, f"DROP DATABASE {DATABASE} WITH (FORCE)", "postgres")


@pytest.fixture
def migrated(empty: Stores, configure: Configure) -> Iterator[Stores]:
    """A migrated database, to which the service connects as "the service"."""
    configure(**LOGINS)
    invoke()
    become(configure, USERS["DB_SERVICE_USER"])
    yield empty
    db.close()
    for user in USERS.values():
        run(empty, f'DROP OWNED BY "{user}"; DROP ROLE "{user}"')
