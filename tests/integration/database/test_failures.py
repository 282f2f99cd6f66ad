"""If PostgreSQL is stopped, silent or busy, requests fail in time. Afterwards, the service recovers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from imageapi.database import db
from imageapi.deadline import time_limit
from imageapi.errors import ConflictError, DatabaseUnavailableError
from psycopg2.errors import DivisionByZero

from tests.integration.client import get, upload, upload_event
from tests.integration.stores import Configure, Stores, paused, stopped
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.waiting import wait_until

PICTURE = pictures.jpeg()


@contextmanager
def in_time() -> Iterator[None]:
    """Check that the block ends within the default of both limits, 5 seconds."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 4.5


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"][0]) >= 1


def test_restarted_server_is_no_error(stores: Stores) -> None:
    ids = stores.insert_ready(2)
    assert get("/api/images").status == 200

    for stop in (stores.postgres.kill, stores.postgres.stop):
        stop()
        stores.postgres.start()

        assert [image["id"] for image in get("/api/images").body["images"]] == ids[::-1]


def test_an_idle_connection_is_given_up(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server closes it, because a frozen Lambda function cannot. The next request reconnects."""
    monkeypatch.setitem(db.SESSION_SETTINGS, "idle_session_timeout", "200ms")
    db.close()
    assert get("/api/images").status == 200

    connected = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'image-api'"
    wait_until(lambda: not stores.execute(connected))

    assert get("/api/images").status == 200
    db.close()


def test_one_connection_for_all_requests(stores: Stores) -> None:
    pids = {str(db.query("SELECT pg_backend_pid() AS pid")[0]["pid"]) for _ in range(3)}
    get("/api/images")
    upload(PICTURE, on_duplicate="reject")
    pids |= {str(db.query("SELECT pg_backend_pid() AS pid")[0]["pid"])}

    assert len(pids) == 1


def test_closed_port(stores: Stores) -> None:
    with stopped(stores.postgres), in_time():
        answers = [get("/api/images"), upload(PICTURE), get("/api/database/status")]

    for answer in answers:
        assert_unavailable(answer)

    assert upload(PICTURE).status == 201
    assert len(stores.rows()) == len(stores.keys()) == 1


@pytest.mark.parametrize("ask", [lambda: get("/api/images"), lambda: upload(PICTURE, on_duplicate="reject")])
def test_silent_server(stores: Stores, configure: Configure, ask: Callable[[], Answer]) -> None:
    configure(DB_CONNECT_TIMEOUT="1", DB_STATEMENT_TIMEOUT="1")
    assert get("/api/images").status == 200

    with paused(stores.postgres):
        with in_time():  # on the open connection: the statement timeout plus one second
            assert_unavailable(ask())
        with in_time():  # on a new connection, without a response
            assert_unavailable(upload(PICTURE))

    assert upload(PICTURE, on_duplicate="reject").status == 201
    assert len(stores.rows()) == len(stores.keys()) == 1


def test_statement_over_its_time_limit(stores: Stores, configure: Configure) -> None:
    configure(DB_STATEMENT_TIMEOUT="1")
    pid = db.query("SELECT pg_backend_pid() AS pid")

    with closing(stores.postgres.connect()) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE image_metadata")
        with in_time():
            assert_unavailable(get("/api/images"))
        with in_time():
            assert_unavailable(upload(PICTURE, on_duplicate="reject"))

    assert get("/api/images").status == 200
    assert db.query("SELECT pg_backend_pid() AS pid") == pid, "the server said no: no reason to reconnect"
    assert stores.is_empty()


def test_transaction_over_its_time_limit(stores: Stores, configure: Configure) -> None:
    """Each statement is within its limit; their sum is not."""
    configure(DB_STATEMENT_TIMEOUT="1")

    with in_time(), pytest.raises(DatabaseUnavailableError):
        db.transaction(lambda cursor: [db.query("SELECT pg_sleep(0.5)", (), cursor) for _ in range(10)])

    assert get("/api/images").status == 200


def test_waiting_for_the_connection_counts_against_the_time_limit(stores: Stores) -> None:
    """Threads share the connection, and another may hold it for a long time."""
    holds, done = threading.Event(), threading.Event()

    def hold(_: db.Cursor) -> None:
        holds.set()
        done.wait(10)

    thread = threading.Thread(target=db.transaction, args=(hold,))
    thread.start()
    assert holds.wait(5)
    start = time.monotonic()
    try:
        with pytest.raises(DatabaseUnavailableError), time_limit(0.3):
            db.ping()
        assert time.monotonic() - start < 2
    finally:
        done.set()
        thread.join()

    assert db.ping()


def test_name_lookup_has_a_time_limit(
    stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libpq's own name lookup has only the resolver's time limit."""
    configure(DB_HOST="db.invalid", DB_CONNECT_TIMEOUT="5")
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    start = time.monotonic()
    with pytest.raises(DatabaseUnavailableError), time_limit(0.5):
        db.ping()
    over.set()
    assert time.monotonic() - start < 3


def test_each_address_of_a_name_is_tried(
    stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(DB_HOST="db.invalid")
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (stores.postgres.host, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert get("/api/database/status").status == 200


@pytest.mark.parametrize(
    "change",
    [{"POSTGRES_PASSWORD": "wrong-s3cret"}, {"POSTGRES_USER": "nobody"}, {"POSTGRES_DB": "missing"}],
    ids=lambda change: next(iter(change)),
)
def test_refused_login(stores: Stores, configure: Configure, change: dict[str, str]) -> None:
    configure(**change)

    answer = get("/api/images")

    assert_unavailable(answer)
    assert not any(value in str(answer.body) for value in change.values())


def test_transaction_is_rolled_back_and_leaves_a_usable_connection(stores: Stores) -> None:
    def insert_and_fail(error: Exception | None) -> None:
        def work(cursor: db.Cursor) -> None:
            cursor.execute("CREATE TEMP TABLE half_done ()")
            if error:
                raise error
            cursor.execute("SELECT 1 / 0")

        db.transaction(work)

    for error in (ValueError("of the caller"), ConflictError("of the service"), None):
        with pytest.raises(type(error) if error else DivisionByZero):
            insert_and_fail(error)

        assert db.query("SELECT to_regclass('half_done') AS found") == [{"found": None}]
    assert db.transaction(lambda cursor: db.query("SELECT 1 AS n", (), cursor)) == [{"n": 1}]


def test_a_query_inside_a_transaction_is_a_mistake(stores: Stores) -> None:
    with pytest.raises(RuntimeError, match=r"inside db\.transaction"):
        db.transaction(lambda cursor: db.query("SELECT 1"))
    assert db.query("SELECT 1 AS one") == [{"one": 1}]


def test_server_that_dies_before_the_image_is_ready(stores: Stores) -> None:
    event = upload_event(PICTURE, idempotency_key="k")
    with stores.paused_at(event, "storage.s3.put_object", "after") as process:
        stores.postgres.kill()
        process.resume()
        assert_unavailable(process.answer())
        stores.postgres.start()

        assert (stores.statuses(), len(stores.keys())) == (["pending"], 1)
        process.send(event)
        assert process.answer().status == 201
    assert (stores.statuses(), len(stores.keys())) == (["ready"], 1)
