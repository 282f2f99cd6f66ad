"""The two real stores, and ways to inspect and break them."""

import os
import re
import select
import signal
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn
from unittest.mock import patch

import psutil
import psycopg2.extras
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3

from local.servers.postgres import PostgresServer
from local.servers.s3 import S3Server
from tests import ROOT
from tests.support.events import Event
from tests.support.postgres import create_users
from tests.support.servers import service_environment
from tests.support.waiting import wait_until
from tests.support.worker import Hook, Worker, worker

SCHEMA = ROOT / "init_db.sql"
TABLES = re.findall(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", SCHEMA.read_text("utf-8"), re.MULTILINE)
Server = PostgresServer | S3Server
Row = dict[str, Any]
Configure = Callable[..., None]


@dataclass
class Stores:
    """A running PostgreSQL and a running S3."""

    postgres: PostgresServer
    s3: S3Server
    _connection: Any = None
    _lock: Any = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        return service_environment(self.postgres, self.s3)

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Run one statement and commit it."""
        with self._lock, self._connect().cursor() as cursor:
            cursor.execute(sql, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def _connect(self) -> Any:
        """The tests' own connection, reopened if the server has closed it."""
        if self._connection and select.select([self._connection], [], [], 0)[0]:
            self.disconnect()
        if not self._connection:
            self._connection = self.postgres.connect(cursor_factory=psycopg2.extras.RealDictCursor)
            self._connection.autocommit = True
        return self._connection

    def disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def rows(self) -> list[Row]:
        """All images, uploads and deletions, oldest first, each with its ``status``."""
        images = [row | {"status": "ready"} for row in self.execute("SELECT * FROM image_metadata")]
        images += [row | {"status": "trashed"} for row in self.execute("SELECT * FROM trashed_images")]
        uploads = self.execute("SELECT * FROM uploads")
        for row in uploads:
            row |= {**row["metadata"], "status": "failed" if row["failure"] else "pending"}
            row["s3_key"] = row["s3_key"] or f"incoming/{row['id']}"
        deletions = self.execute("SELECT *, image_id AS id, 'deleting' AS status FROM pending_removals")
        deletions = [row | {"title": "", "sha256": None} for row in deletions]
        rows = sorted([*images, *uploads, *deletions], key=lambda row: str(row["id"]))
        return [row | {"sha256": bytes(row["sha256"] or b"")} for row in rows]

    def changes(self, subject_id: str | None = None) -> list[Row]:
        """All changes, or those of one subject, in order."""
        while self.execute("SELECT number_changes(1000) AS numbered")[0]["numbered"]:
            pass
        return self.execute(
            "SELECT * FROM changes WHERE subject_id = coalesce(%s, subject_id) ORDER BY sequence",
            (subject_id,),
        )

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.rows()]

    def idempotency_keys(self) -> list[str]:
        rows = self.execute("SELECT key FROM idempotency_keys ORDER BY key")
        return [row["key"] for row in rows]

    def variants(self) -> list[tuple[str, str]]:
        rows = self.execute("SELECT name, status FROM image_variants ORDER BY name")
        return [(row["name"], row["status"]) for row in rows]

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.s3.bucket)
        return [item["Key"] for item in found.get("Contents", [])]

    def object(self, key: str) -> tuple[bytes, Mapping[str, Any]]:
        """An object's bytes and the store's metadata."""
        found = self.client.get_object(Bucket=self.s3.bucket, Key=key)
        return found["Body"].read(), found

    def clear(self) -> None:
        """Remove all rows and objects."""
        # Not TRUNCATE, which takes 5 ms; this takes 0.2.
        # Without triggers: they would note each deletion in changes.
        deletions = "; ".join(f"DELETE FROM {table}" for table in TABLES)
        self.execute(f"SET LOCAL session_replication_role = replica; {deletions}")
        for key in self.keys():
            self.client.delete_object(Bucket=self.s3.bucket, Key=key)

    def is_empty(self) -> bool:
        return not self.rows() and not self.keys()

    def insert_ready(self, count: int = 1, **values: Any) -> list[str]:
        """Rows of ready images without objects, oldest first; see :meth:`insert`."""
        ids = [new_id() for _ in range(count)]
        self.insert(ids, values)
        return ids

    def insert_unready(self, status: str, s3_key: str | None = None) -> str:
        """Insert an expired row of an upload (``pending`` or ``failed``) or a deletion (``deleting``)."""
        image_id = new_id()
        if status == "deleting":
            self.execute(
                """INSERT INTO pending_removals (image_id, s3_key, variants, lease_until)
                   VALUES (%s, %s, '{}', now())""",
                (image_id, s3_key or f"originals/{image_id}.jpg"),
            )
        else:
            self.execute(
                """INSERT INTO uploads (id, metadata, filename, mime_type, size_bytes, s3_key, failure,
                                        expires_at)
                   VALUES (%s, '{"title": ""}', 'a.jpg', 'image/jpeg', 1, %s, %s, now())""",
                (image_id, s3_key, "image_corrupt" if status == "failed" else None),
            )
        return image_id

    def insert_variant(self, image_id: str, name: str, status: str) -> None:
        """Insert a variant with an expired lease and without an object."""
        self.execute(
            "INSERT INTO image_variants (image_id, name, status, lease_until) VALUES (%s, %s, %s, now())",
            (image_id, name, status),
        )

    def insert(self, ids: Sequence[str], values: Mapping[str, Any]) -> None:
        """Insert rows without objects.

        Args:
            values: columns; the others get arbitrary values.
        """
        columns: Row = {"filename": "a.jpg", "mime_type": "image/jpeg", "size_bytes": 1, "sha256": bytes(32)}
        columns |= {"width": 1, "height": 1, **values}
        names = ", ".join(columns)
        self.execute(
            f"""INSERT INTO image_metadata (id, s3_key, {names})
                SELECT id, 'originals/' || id || '.jpg', {", ".join(f"%({name})s" for name in columns)}
                FROM unnest(%(ids)s::uuid[]) AS id""",
            columns | {"ids": list(ids)},
        )

    @contextmanager
    def paused_at(
        self,
        event: Event,
        target: str,
        when: Literal["before", "after"],
        call: int = 1,
        *,
        function: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Iterator[Worker]:
        """A process that handles the event until a :class:`Hook`. ``variables`` extend its environment."""
        with worker(self.environment | dict(variables or {})) as process:
            process.send(event, Hook(target, when, call, "pause"), function=function)
            process.wait_paused()
            yield process

    def wait_for_lock(self) -> None:
        """Wait until a client waits for another transaction's lock."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = %s AND backend_type = %s"
        wait_until(lambda: self.execute(waiting, ("Lock", "client backend")))

    @cached_property
    def client(self) -> Any:
        return self.s3.client()


@contextmanager
def launched(prefix: str) -> Iterator[Stores]:
    """Both servers, for a separate program. ``prefix`` begins the name of their temporary folder."""
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        # If root starts the servers, they run as another user.
        Path(folder).chmod(0o755)
        stores = Stores(PostgresServer(Path(folder), schema=SCHEMA), S3Server(Path(folder)))
        try:
            stores.postgres.start()
            stores.s3.start()
            create_users(stores.postgres)
            yield stores
        finally:
            stores.postgres.stop()
            stores.s3.stop()


def new_id() -> str:
    """A UUIDv7, generated as the service does."""
    import uuid_utils

    return str(uuid.UUID(bytes=uuid_utils.uuid7().bytes))


def fail(*_: Any, **__: Any) -> NoReturn:
    """Replaces a function of ``imageapi.storage`` when the object store does not respond."""
    raise StorageUnavailableError()


def failing(function: str) -> AbstractContextManager[object]:
    """The object store does not respond to this function of ``imageapi.storage.s3``."""
    return patch.object(s3, function, fail)


@contextmanager
def paused(*servers: Server) -> Iterator[None]:
    """Pause all processes of the servers. Their ports stay open, but do not respond."""
    processes = [
        process
        for server in servers
        for process in (psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True))
    ]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(process.status() == psutil.STATUS_STOPPED for process in processes))
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)


@contextmanager
def stopped(*servers: Server) -> Iterator[None]:
    """Stop the servers, which closes their ports. At the end, restart them."""
    for server in servers:
        server.stop()
    try:
        yield
    finally:
        for server in servers:
            server.start()
