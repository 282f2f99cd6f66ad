"""PostgreSQL: one connection per execution environment, and no wait without a limit.

psycopg2 waits inside C code, where neither a stopped server nor a dropped network path ever ends a wait. So
every wait goes through :func:`_wait` (psycopg2's wait callback), which gives up after a time limit. The
server's own ``statement_timeout`` is set as well: it frees the server, this one frees the client.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar, cast

import psycopg2
import psycopg2.errors
import psycopg2.extensions

from imageapi.config import Settings, get_settings, refresh_settings
from imageapi.errors import AppError, DatabaseUnavailableError

T = TypeVar("T")
Row = dict[str, Any]
Cursor: TypeAlias = psycopg2.extensions.cursor

IDLE_SECONDS_BEFORE_PING = 30.0
"""After so long a connection is tested before it is used: a firewall or NAT may have dropped it silently."""

GRACE_SECONDS = 1.0
"""How much longer the client waits than the server works, so that the server's clearer error comes first."""

PASSWORD_MAX_AGE = 10.0
"""When the server refuses the password, it is read again if it was read longer ago than this (seconds)."""

IDLE_SECONDS = 60
"""The server closes a connection that was idle for longer: Lambda freezes an execution environment without a
word, and a database that scales to zero does not pause while anyone is connected.
"""

SESSION_SETTINGS = (
    "SET timezone = 'UTC'; SET idle_in_transaction_session_timeout = 30000;"
    f" SET idle_session_timeout = {IDLE_SECONDS * 1000};"
    # Every query here is meant for an index, and none is worth compiling.
    " SET enable_seqscan = off; SET jit = off;"
)

_UNAVAILABLE = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    # After a failover the old writer, now a reader, is still connected to.
    psycopg2.errors.ReadOnlySqlTransaction,
)

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_lock = threading.RLock()
_connection: psycopg2.extensions.connection | None = None
_used_at = 0.0


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let everything inside take at most ``seconds`` in all, connecting included."""
    outer = _deadline.get()
    inner = time.monotonic() + seconds
    token = _deadline.set(inner if outer is None else min(outer, inner))
    try:
        yield
    finally:
        _deadline.reset(token)


def query(sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
    """Run one statement, committed by itself, and return its rows (empty when it returns none). Not inside
    :func:`transaction`, whose ``work`` has a cursor for that.

    Raises:
        DatabaseUnavailableError: no answer, or not in time. A write may or may not have happened.
    """
    return _run(lambda cursor: fetch(cursor, sql, parameters))


def transaction(work: Callable[[Cursor], T]) -> T:
    """Run ``work`` in one transaction: committed when it returns, rolled back when it raises.

    Raises:
        DatabaseUnavailableError: no answer, or not in time. What ``work`` did may or may not be committed.
    """

    def run(cursor: Cursor) -> T:
        cursor.execute("BEGIN")
        try:
            result = work(cursor)
        except BaseException:
            if not cursor.connection.closed:
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
        return result

    return _run(run)


def fetch(cursor: Cursor, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
    """Run one statement on a transaction's cursor and return its rows."""
    cursor.execute(sql, parameters)
    if cursor.description is None:
        return []
    # By hand: with psycopg2's RealDictCursor a list page takes a quarter longer or more.
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def ping() -> dict[str, Any]:
    """Ask the server who it is: ``{"server_version": "17.6"}``."""
    return query("SELECT current_setting('server_version') AS server_version")[0]


def close() -> None:
    """Close the connection. The next use opens another; tests call this between servers."""
    global _connection
    with _lock:
        if _connection is not None:
            _connection.close()
            _connection = None


def _run(work: Callable[[Cursor], T]) -> T:
    global _used_at
    with _lock:
        if _in_transaction():
            raise RuntimeError("db.query or db.transaction inside db.transaction")
        connection = _acquire()
        try:
            with connection.cursor() as cursor:
                return work(cursor)
        except AppError:
            raise
        except _UNAVAILABLE as error:
            # A cancelled statement leaves a usable connection, everything else of this kind does not.
            if not isinstance(error, psycopg2.extensions.QueryCanceledError):
                close()
            raise DatabaseUnavailableError() from error
        except BaseException:
            # Raised by the caller's own code: the connection may stand in the middle of a transaction.
            if (
                connection.closed
                or connection.info.transaction_status != psycopg2.extensions.TRANSACTION_STATUS_IDLE
            ):
                close()
            raise
        finally:
            _used_at = time.monotonic()


def _in_transaction() -> bool:
    idle = psycopg2.extensions.TRANSACTION_STATUS_IDLE
    return _connection is not None and not _connection.closed and _connection.info.transaction_status > idle


def _acquire() -> psycopg2.extensions.connection:
    """The connection of this execution environment, opened or replaced when it is stale."""
    global _connection
    if _connection is not None and _is_stale(_connection):
        close()
    if _connection is None:
        _connection = _connect(get_settings())
    return _connection


def _is_stale(connection: psycopg2.extensions.connection) -> bool:
    if connection.closed:
        return True
    # An idle connection has nothing to say: if it can be read, the server has hung up.
    if select.select([connection.fileno()], [], [], 0)[0]:
        return True
    if time.monotonic() - _used_at < IDLE_SECONDS_BEFORE_PING:
        return False
    try:
        with time_limit(2), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        return True
    return False


def _connect(settings: Settings) -> psycopg2.extensions.connection:
    psycopg2.extensions.set_wait_callback(_wait)
    milliseconds = int(settings.db_statement_timeout * 1000)
    arguments: dict[str, Any] = {"sslrootcert": settings.db_sslrootcert} if settings.db_sslrootcert else {}
    try:
        connection = psycopg2.connect(
            host=settings.db_host,
            port=settings.db_port,
            dbname=settings.db_name,
            user=settings.db_user,
            password=settings.db_password,
            sslmode=settings.db_sslmode,
            application_name="image-api",
            keepalives_idle=30,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=10_000,
            **arguments,
        )
        connection.autocommit = True
        # Not as options of the connection: poolers such as RDS Proxy refuse those.
        with connection.cursor() as cursor:
            cursor.execute(SESSION_SETTINGS + f"SET statement_timeout = {milliseconds}")
    except psycopg2.OperationalError as error:
        if "password authentication failed" in str(error) and refresh_settings(PASSWORD_MAX_AGE):
            return _connect(get_settings())
        raise DatabaseUnavailableError() from error
    return cast(psycopg2.extensions.connection, connection)


def _wait(connection: psycopg2.extensions.connection) -> None:
    """Wait for the server, as psycopg2 asks for, but not beyond the time limit."""
    settings = get_settings()
    connecting = connection.status == psycopg2.extensions.STATUS_SETUP
    limit = settings.db_connect_timeout if connecting else settings.db_statement_timeout + GRACE_SECONDS
    deadline = time.monotonic() + limit
    outer = _deadline.get()
    if outer is not None:
        deadline = min(deadline, outer)
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise psycopg2.OperationalError("no answer from the server within the time limit")
        if state == psycopg2.extensions.POLL_READ:
            select.select([connection.fileno()], [], [], remaining)
        else:
            select.select([], [connection.fileno()], [], remaining)
