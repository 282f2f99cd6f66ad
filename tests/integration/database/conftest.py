"""An empty database, and a migrated one with the functions' own user."""

from collections.abc import Iterator

import pytest
from imageapi.database import db

from tests.integration.database.migrating import DATABASE, SERVICE, invoke, run
from tests.integration.stores import Configure, Stores


@pytest.fixture
def empty(stores: Stores, configure: Configure) -> Iterator[Stores]:
    """The service, configured for an empty database."""
    run(stores, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", "postgres")
    run(stores, f"CREATE DATABASE {DATABASE}", "postgres")
    configure(POSTGRES_DB=DATABASE, DB_STATEMENT_TIMEOUT="30")
    yield stores
    db.close()
    run(stores, f"DROP DATABASE {DATABASE} WITH (FORCE)", "postgres")


@pytest.fixture
def service_user(empty: Stores, configure: Configure) -> Iterator[Stores]:
    """A migrated database; the service then connects as its own user."""
    configure(**SERVICE)
    invoke()
    db.close()
    configure(POSTGRES_USER=SERVICE["DB_SERVICE_USER"], POSTGRES_PASSWORD=SERVICE["DB_SERVICE_PASSWORD"])
    yield empty
    db.close()
    run(empty, 'DROP OWNED BY "the service"; DROP ROLE "the service"')
