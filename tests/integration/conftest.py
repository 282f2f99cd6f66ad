"""Real PostgreSQL and real S3, which start once for all tests here. Each test begins with empty stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from imageapi.config import settings
from imageapi.database import db
from imageapi.storage import s3

from local.servers.postgres import PostgresServer
from local.servers.s3 import S3Server
from tests.integration.stores import SCHEMA, Configure, Stores
from tests.support.postgres import create_users, turn_fsync_off
from tests.support.settings import set_environment


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Both servers on free ports. They end when this process ends, even if it is killed."""
    folder: Path = tmp_path_factory.mktemp("stores")
    postgres, s3 = PostgresServer(folder, schema=SCHEMA), S3Server(folder)
    try:
        postgres.launch()
        s3.launch()
        postgres.wait_ready()
        s3.wait_ready()
        forget_settings()
        turn_fsync_off(postgres)
        create_users(postgres)
        yield Stores(postgres, s3)
    finally:
        forget_settings()
        postgres.stop()
        s3.stop()


@pytest.fixture
def stores(servers: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """Both stores, empty. The service uses them."""
    set_environment(monkeypatch, servers.environment)
    servers.clear()
    yield servers
    db.close()


@pytest.fixture
def configure(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Change settings for this test: ``configure(DB_PORT="1")``; None removes a variable."""

    def change(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        forget_settings()

    yield change
    forget_settings()


def forget_settings() -> None:
    """Make the service reread its environment and reopen all connections."""
    db.close()
    for module in (settings, s3):
        for cached in vars(module).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
