"""Health: the response with one or both stores down, and that none takes long."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from imageapi import health
from imageapi.database import db
from imageapi.deadline import time_left
from imageapi.errors import DatabaseUnavailableError, StorageUnavailableError
from imageapi.health import check_health
from imageapi.storage import s3

from tests.support.settings import use_settings


def answer(*_: Any) -> dict[str, Any]:
    return {"server_version": "17.6"}


def fail_database(*_: Any) -> None:
    raise DatabaseUnavailableError


def fail_storage(*_: Any) -> None:
    raise StorageUnavailableError


def break_down(*_: Any) -> None:
    raise RuntimeError("nobody thought of this")


@pytest.fixture
def hang() -> Iterator[Callable[..., object]]:
    """A check that does not return before the test ends."""
    over = threading.Event()
    yield lambda *_: over.wait(30)
    over.set()


@pytest.fixture
def set_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    monkeypatch.setattr(health, "TIMEOUT", 0.1)
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 1e-6)

    def change(database: Callable[..., Any] = answer, store: Callable[..., Any] = answer) -> None:
        monkeypatch.setattr(db, "ping", database)
        monkeypatch.setattr(s3, "check_bucket", store)

    with use_settings(monkeypatch, {"DB_HOST": "localhost", "MINIO_BUCKET_NAME": "images"}):
        yield change


@pytest.mark.parametrize(
    ("checks", "errors"),
    [
        ({"database": fail_database}, {"database": "database_unavailable"}),
        ({"store": fail_storage}, {"storage": "storage_unavailable"}),
        (
            {"database": fail_database, "store": fail_storage},
            {"database": "database_unavailable", "storage": "storage_unavailable"},
        ),
    ],
)
def test_down(checks: dict[str, Any], errors: dict[str, str], set_checks: Callable[..., None]) -> None:
    set_checks(**checks)
    healthy, report = check_health()
    assert not healthy
    assert report["status"] == "unhealthy"
    assert {name: check["error"] for name, check in report["checks"].items() if "error" in check} == errors
    assert {name for name, check in report["checks"].items() if check["status"] == "down"} == set(errors)


def test_the_cause_of_what_is_down_is_logged(
    set_checks: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise StorageUnavailableError from OSError("AccessDenied")

    set_checks(database=fail_database, store=fail)
    check_health()
    warnings: dict[str, Any] = {vars(record)["check"]: record for record in caplog.records}
    assert {name: warning.code for name, warning in warnings.items()} == {
        "database": "database_unavailable",
        "storage": "storage_unavailable",
    }
    assert {warning.levelname for warning in warnings.values()} == {"WARNING"}
    assert "AccessDenied" in caplog.text


def test_one_that_hangs_does_not_hold_the_answer_up(
    set_checks: Callable[..., None], hang: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    set_checks(database=hang)
    start = time.monotonic()
    healthy, report = check_health()
    assert time.monotonic() - start < 10  # the check itself would take 30
    assert not healthy
    assert report["checks"]["database"] == {"status": "down", "error": "timeout", "latency_ms": 100}
    assert report["checks"]["storage"]["status"] == "up"
    assert 0 <= report["checks"]["storage"]["latency_ms"] < 1_000
    assert [vars(record)["code"] for record in caplog.records] == ["timeout"]


def test_they_are_asked_side_by_side(set_checks: Callable[..., None]) -> None:
    meeting = threading.Barrier(2, timeout=5)
    set_checks(database=lambda *_: meeting.wait(), store=lambda *_: meeting.wait())
    assert check_health()[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_failure_is_down_too_and_no_timeout(set_checks: Callable[..., None]) -> None:
    set_checks(store=break_down)
    healthy, report = check_health()
    check = report["checks"]["storage"]
    assert not healthy
    assert check["status"] == "down"
    assert check["error"] != "timeout"


def test_the_time_limit_reaches_the_database(set_checks: Callable[..., None]) -> None:
    limits = []

    def ping() -> dict[str, Any]:
        limits.append(time_left())
        return answer()

    set_checks(database=ping)
    check_health()
    assert limits[0] <= 0.1


def test_a_burst_asks_the_stores_once(
    set_checks: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    clock = [0.0]

    def ping() -> dict[str, Any]:
        asked.append(clock[0])
        return answer()

    set_checks(database=ping)
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 3.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    for clock[0] in (3.0, 3.1, 5.9, 6.0, 8.9):
        assert check_health()[0]
    assert asked == [3.0, 6.0]
