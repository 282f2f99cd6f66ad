"""Runs in its own process: handles events, and asks for permission before each call to a store.

A call is an SQL message or an HTTP request to S3, in any thread. So the parent decides what happens between
two calls. The clock of the service stands still, so that no time limit depends on the wait for permission.

Messages to this process are ``(function, event)``. Its own are :class:`Call`, :class:`Seen`, :class:`Sleep`
and :class:`Answered`; it waits for a :class:`Permission` after a call and a sleep.
"""

import json
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime
from enum import Enum, auto
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import psycopg2
import psycopg2.extensions
from imageapi.database import db
from urllib3.connectionpool import HTTPConnectionPool

from tests.interleavings.footprint import Footprint, of_request, of_statement
from tests.support.events import LambdaContext, find_failure, load_handler

FUNCTIONS = (*("UploadFunction", "ImageFunction", "DeliverFunction"), *("SweepFunction", "ChangesFunction"))
CLOCK_STEP = 3.0
"""Longer than the service waits for another's lease (seconds)."""
NO_LIMITS = dict.fromkeys(
    ("lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"), "600s"
)

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+")
UNREPEATABLE = {"row_version", "request_hash"}
"""Columns whose values differ between runs of the same schedule."""


class Permission(Enum):
    """Lets a process make its call, end its sleep, or stop as if killed."""

    GO = auto()
    TIME_OVER = auto()
    ABANDON = auto()


class Call(NamedTuple):
    """The process is about to call a store.

    Attributes:
        name: equal for equal calls with any ids.
        backend: the process id of the PostgreSQL backend; None for S3.
        ids: those that an SQL message contains.
    """

    name: str
    footprint: Footprint
    backend: int | None
    ids: tuple[str, ...] = ()


class Seen(NamedTuple):
    """The rows that an SQL message has returned; of times, only whether they are over."""

    rows: str


class Sleep(NamedTuple):
    """The process waits for another one's work, and looks again afterwards."""


class Answered(NamedTuple):
    """The function has returned, or raised an error: ``(status, code)``. None, None if abandoned."""

    response: Any = None
    error: tuple[int, str] | None = None


class AbandonedError(BaseException):
    """Ends an event as a kill would: nothing in the service catches it."""


class Gate:
    """Asks for permission, and keeps the clock."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._now = time.monotonic()
        self._is_abandoned = False

    def monotonic(self) -> float:
        return self._now

    def sleep(self, _: float) -> None:
        if self._ask(Sleep()) is Permission.TIME_OVER:
            self._now += CLOCK_STEP

    def call(self, call: Call) -> None:
        """Wait until a call may be made."""
        if self._is_abandoned:
            return  # the transaction is rolled back
        if self._ask(call) is Permission.ABANDON:
            self._is_abandoned = True
            raise AbandonedError

    def show(self, cursor: Any) -> None:
        """Report the rows that a call has returned."""
        rows = cursor.fetchall() if cursor.description else []
        if rows:
            cursor.scroll(0, mode="absolute")
        columns = {column.name for column in cursor.description or ()}
        if not self._is_abandoned and not columns & UNREPEATABLE:
            with self._lock:
                self._pipe.send(Seen(_TIME.sub("<time>", json.dumps(rows, default=describe))))

    def answer(self, function: str, event: dict[str, Any]) -> Answered:
        """Run a function to its end."""
        self._is_abandoned = False
        try:
            response = load_handler(function)(event, LambdaContext())
            return Answered(response, find_failure(response))
        except AbandonedError:
            return Answered()
        except Exception as error:  # judged by the tests
            return Answered(error=(getattr(error, "status", 500), getattr(error, "code", repr(error))))

    def _ask(self, question: Call | Sleep) -> Permission:
        with self._lock:
            self._pipe.send(question)
            permission: Permission = self._pipe.recv()
            return permission


def watch_stores(gate: Gate) -> None:
    """Make all calls to both stores, and all sleeps, ask first."""

    class AskingCursor(psycopg2.extensions.cursor):
        written: frozenset[str] = frozenset()
        """The tables written with this cursor; the service uses one for each transaction."""

        def execute(self, query: Any, variables: Any = None) -> None:
            text = self.mogrify(query, variables).decode()
            footprint = of_statement(text)
            self.written |= footprint.writes
            if text.startswith(("COMMIT", "ROLLBACK")):
                footprint = Footprint(writes=self.written)
            elif self.connection.info.transaction_status:
                footprint = footprint.uncommitted()
            if not any(footprint):  # its order is irrelevant
                super().execute(query, variables)
                return
            backend, ids = self.connection.info.backend_pid, tuple(ID.findall(text))
            gate.call(Call(name_statement(text), footprint, backend, ids))
            super().execute(query, variables)
            gate.show(self)

    def connect(*arguments: Any, **options: Any) -> Any:
        return original_connect(*arguments, **options, cursor_factory=AskingCursor)

    def urlopen(pool: Any, method: str, url: str, body: Any = None, *rest: Any, **options: Any) -> Any:
        verb, keys = read_request(method, url, body)
        name = ID.sub("<id>", " ".join([verb, *keys]))
        gate.call(Call(name, of_request(verb, keys), None))
        return original_urlopen(pool, method, url, body, *rest, **options)

    original_connect, original_urlopen = psycopg2.connect, HTTPConnectionPool.urlopen
    for owner, function in ((psycopg2, connect), (HTTPConnectionPool, urlopen)):
        setattr(owner, function.__name__, function)
    for function in (gate.monotonic, gate.sleep):
        setattr(time, function.__name__, function)


def describe(value: Any) -> str:
    """A value of a row, as text that is the same in each run."""
    if isinstance(value, datetime):
        return "past" if value < datetime.now(UTC) else "future"
    return bytes(value).hex() if isinstance(value, memoryview) else str(value)


def name_statement(text: str) -> str:
    """The function of the service that sends a statement; for BEGIN and COMMIT, that of the transaction."""
    verb = next((word for word in ("BEGIN", "COMMIT", "ROLLBACK") if text.startswith(word)), "")
    frame: Any = sys._getframe(1)
    while frame:
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module.startswith("imageapi.") and module != db.__name__ and not function.startswith("<"):
            return f"{verb} {module.removeprefix('imageapi.')}.{function}".strip()
        frame = frame.f_back
    return text[:60]


def read_request(method: str, url: str, body: Any) -> tuple[str, list[str]]:
    """The operation of a request, and its keys; of a list, its prefix and ``*``."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "delete" in query:
        text = body.decode() if isinstance(body, bytes) else str(body)
        return "DELETE", re.findall("<Key>(.*?)</Key>", text)
    key = parts.path.partition("/")[2].partition("/")[2]
    return method, [key or f"{query.get('prefix', '')}*"]


def prepare(gate: Gate) -> None:
    """Load everything that events need."""
    db.SESSION_SETTINGS.update(NO_LIMITS)
    for function in FUNCTIONS:
        load_handler(function)
    watch_stores(gate)


def serve(pipe: Connection) -> None:
    """Handle events until the other end is closed."""
    gate = Gate(pipe)
    prepare(gate)
    while True:
        try:
            function, event = pipe.recv()
        except EOFError:
            return
        pipe.send(gate.answer(function, event))


if __name__ == "__main__":
    # Pickled messages name this module, not __main__.
    from tests.interleavings import process

    process.serve(Connection(int(os.environ.pop("PIPE"))))
