"""PostgreSQL: one connection per execution environment, and a time limit on every wait.

psycopg2 waits inside C code, forever if the server stops or the network path drops. So every wait goes
through :func:`_wait` (psycopg2's wait callback), which has a time limit. The callback frees the client, and
``statement_timeout`` frees the server.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions

from imageapi.actor import get_actor
from imageapi.config.settings import Settings, get_settings, refresh_settings
from imageapi.database.resolve_host import resolve_host
from imageapi.deadline import time_left, time_limit
from imageapi.errors import ConfigurationError, DatabaseUnavailableError

T = TypeVar("T")
Row = dict[str, Any]
Cursor: TypeAlias = psycopg2.extensions.cursor
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]

IDLE_SECONDS_BEFORE_PING = 30.0
"""After this, a connection is tested before use: a firewall or NAT may have dropped it silently."""

GRACE_SECONDS = 1.0
"""The client's margin over ``statement_timeout``. The server's error comes first because it is clearer."""

PASSWORD_MAX_AGE = 10.0
"""If the server rejects a password older than this (seconds), it is read again."""

IDLE_SECONDS = 60
"""The server closes a connection that was idle for longer. Lambda freezes an execution environment without
notice, and a database that scales to zero cannot pause while a client is connected.
"""
MAX_IDLE_SECONDS = 55.0
"""A connection that was idle for longer is replaced: the server might close it during use."""

SESSION_SETTINGS = {
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    "lock_timeout": "2s",
    # Lambda can freeze or kill a function within a transaction.
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "1s",
    "idle_session_timeout": f"{IDLE_SECONDS}s",
    # Every query should use an index, and none is worth compiling.
    "enable_seqscan": "off",
    "jit": "off",
}

_UNAVAILABLE = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    # After a failover the connection still leads to the former writer, now a reader.
    psycopg2.errors.ReadOnlySqlTransaction,
    psycopg2.errors.TransactionTimeout,
    psycopg2.errors.IdleInTransactionSessionTimeout,
)

_CANCELLED = (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable)


class _Connection(psycopg2.extensions.connection):
    """The service's connection. :func:`_wait` limits its waits."""


_lock = threading.RLock()
_connection: psycopg2.extensions.connection | None = None
_used_at = 0.0


def query(sql: str, parameters: Parameters = (), cursor: Cursor | None = None) -> list[Row]:
    """Run one statement and return its rows.

    Args:
        cursor: of a :func:`transaction`; None commits the statement on its own.

    Raises:
        DatabaseUnavailableError: no response in time. A write may or may not have happened.
    """
    if cursor:
        return _fetch(cursor, sql, parameters)
    return _run(lambda cursor: _fetch(cursor, sql, parameters))


def query_one(sql: str, parameters: Parameters = (), cursor: Cursor | None = None) -> Row | None:
    """As :func:`query`, for a statement that returns at most one row; None without a row."""
    return next(iter(query(sql, parameters, cursor)), None)


def query_as_actor(sql: str, parameters: Parameters, cursor: Cursor | None = None) -> list[Row]:
    """As :func:`query`; the feed attributes the changes to the current actor. Statements separated by
    semicolons are one transaction, and the last one's rows are returned.
    """
    if cursor:  # the transaction has named the actor
        return _fetch(cursor, sql, parameters)

    def run(cursor: Cursor) -> list[Row]:
        return _fetch(cursor, _set_actor(cursor, "SELECT ") + b"; " + cursor.mogrify(sql, parameters))

    return _run(run)


def query_one_as_actor(sql: str, parameters: Parameters, cursor: Cursor | None = None) -> Row | None:
    """As :func:`query_as_actor`, for a statement that returns at most one row; None without a row."""
    return next(iter(query_as_actor(sql, parameters, cursor)), None)


def transaction(work: Callable[[Cursor], T]) -> T:
    """Run ``work`` in one transaction. Commit when it returns, roll back when it raises. The feed attributes
    its changes to the current actor.

    Raises:
        DatabaseUnavailableError: no response in time. The transaction may or may not be committed.
    """

    def run(cursor: Cursor) -> T:
        cursor.execute(_set_actor(cursor, "BEGIN; SELECT "))
        try:
            result = work(cursor)
        except BaseException:
            if not cursor.connection.closed:
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
        return result

    return _run(run)


def ping() -> dict[str, Any]:
    """Ask the server's version: ``{"server_version": "17.6"}``."""
    return query("SELECT current_setting('server_version') AS server_version")[0]


def close() -> None:
    """Close the connection. The next use opens another. Tests call this between servers."""
    global _connection
    with _lock:
        if _connection is not None:
            _connection.close()
            _connection = None


def _run(work: Callable[[Cursor], T]) -> T:
    global _used_at
    with _turn():
        if _in_transaction():
            raise RuntimeError("db.query or db.transaction inside db.transaction")
        connection = _acquire()
        try:
            with connection.cursor() as cursor:
                return work(cursor)
        except _UNAVAILABLE as error:
            # Only after a canceled statement is the connection still usable.
            if not isinstance(error, _CANCELLED):
                close()
            raise DatabaseUnavailableError() from error
        except BaseException:
            # The caller's own error or a wrong statement, perhaps within a transaction.
            if connection.info.transaction_status != psycopg2.extensions.TRANSACTION_STATUS_IDLE:
                close()
            raise
        finally:
            _used_at = time.monotonic()


@contextmanager
def _turn() -> Iterator[None]:
    """Exclusive use of the connection, which threads share. Each thread waits within its own time limit."""
    settings = get_settings()
    limit = settings.db_connect_timeout + settings.db_statement_timeout
    if not _lock.acquire(timeout=max(0.0, min(limit, time_left()))):
        raise DatabaseUnavailableError()
    try:
        yield
    finally:
        _lock.release()


def _set_actor(cursor: Cursor, start: str) -> bytes:
    """The statement that names the actor to the feed's triggers until the transaction ends."""
    actor = get_actor()
    return cursor.mogrify(
        f"{start}set_config('image_api.key_id', %s, true), set_config('image_api.request_id', %s, true)",
        (actor.key_id or "", actor.request_id or ""),
    )


def _fetch(cursor: Cursor, sql: str | bytes, parameters: Parameters = ()) -> list[Row]:
    cursor.execute(sql, parameters or None)
    if cursor.description is None:
        return []
    # With psycopg2's RealDictCursor, a page of a list takes at least a quarter longer.
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _in_transaction() -> bool:
    idle = psycopg2.extensions.TRANSACTION_STATUS_IDLE
    return _connection is not None and not _connection.closed and _connection.info.transaction_status > idle


def _acquire() -> psycopg2.extensions.connection:
    """This execution environment's connection. Open it if missing, replace it if stale."""
    global _connection
    if _connection is not None and _is_stale(_connection):
        close()
    if _connection is None:
        _connection = _connect(get_settings())
    return _connection


def _is_stale(connection: psycopg2.extensions.connection) -> bool:
    if connection.closed:
        return True
    # An idle connection becomes readable only if the server closes it.
    if select.select([connection.fileno()], [], [], 0)[0]:
        return True
    idle = time.monotonic() - _used_at
    if idle < IDLE_SECONDS_BEFORE_PING:
        return False
    if idle > MAX_IDLE_SECONDS:
        return True
    try:
        with time_limit(2), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        return True
    return False


def _connect(settings: Settings) -> psycopg2.extensions.connection:
    if not settings.db_host:
        raise ConfigurationError("DB_HOST is not set.")
    psycopg2.extensions.set_wait_callback(_wait)
    arguments: dict[str, Any] = {"sslrootcert": settings.db_sslrootcert} if settings.db_sslrootcert else {}
    try:
        arguments |= resolve_host(settings.db_host, min(settings.db_connect_timeout, time_left()))
        connection: psycopg2.extensions.connection = psycopg2.connect(
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
            connection_factory=_Connection,
            **arguments,
        )
        connection.autocommit = True
        # Poolers such as PgBouncer reject these as connection options.
        with connection.cursor() as cursor:
            cursor.execute(_session_sql(settings))
    except psycopg2.OperationalError as error:
        if "password authentication failed" in str(error) and refresh_settings(PASSWORD_MAX_AGE):
            return _connect(get_settings())
        raise DatabaseUnavailableError() from error
    return connection


def _session_sql(settings: Settings) -> str:
    milliseconds = int(settings.db_statement_timeout * 1000)
    limits = {"statement_timeout": milliseconds, "transaction_timeout": 2 * milliseconds}
    return "; ".join(f"SET {name} = '{value}'" for name, value in {**SESSION_SETTINGS, **limits}.items())


def _wait(connection: psycopg2.extensions.connection) -> None:
    """psycopg2's wait callback: wait for the server within the time limit.

    The callback is process-wide, so it delegates other connections to psycopg2's own.
    """
    if not isinstance(connection, _Connection):
        from psycopg2.extras import wait_select  # only for processes with other connections

        wait_select(connection)
        return
    settings = get_settings()
    connecting = connection.status == psycopg2.extensions.STATUS_SETUP
    limit = settings.db_connect_timeout if connecting else settings.db_statement_timeout + GRACE_SECONDS
    deadline = time.monotonic() + min(limit, time_left())
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise psycopg2.OperationalError("no response from the server within the time limit")
        if state == psycopg2.extensions.POLL_READ:
            select.select([connection.fileno()], [], [], remaining)
        else:
            select.select([], [connection.fileno()], [], remaining)
