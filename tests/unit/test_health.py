"""Health: the response with one or both stores down, without a long wait."""

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


def fail_with(error: Exception) -> Callable[..., None]:
    def fail(*_: Any) -> None:
        raise error

    return fail


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
        (
            {
                "database": fail_with(DatabaseUnavailableError()),
                "store": fail_with(StorageUnavailableError()),
            },
            {"database": "database_unavailable", "storage": "storage_unavailable"},
        ),
        ({"store": fail_with(RuntimeError("nobody thought of this"))}, {"storage": "internal_error"}),
    ],
)
def test_down_and_its_cause_is_logged(
    checks: dict[str, Any], errors: dict[str, str], set_checks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    set_checks(**checks)
    healthy, report = check_health()
    assert (healthy, report["status"]) == (False, "unhealthy")
    assert {name: check["error"] for name, check in report["checks"].items() if "error" in check} == errors
    assert {name for name, check in report["checks"].items() if check["status"] == "down"} == set(errors)
    records: list[Any] = caplog.records
    assert {record.check: record.code for record in records} == errors
    level = "ERROR" if "internal_error" in errors.values() else "WARNING"
    assert {record.levelname for record in records} == {level}
    assert all(record.exc_info for record in records)


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


def test_they_are_asked_side_by_side_and_with_the_time_limit(set_checks: Callable[..., None]) -> None:
    meeting = threading.Barrier(2, timeout=5)
    limits = []

    def ping(*_: Any) -> None:
        limits.append(time_left())
        meeting.wait()

    set_checks(database=ping, store=ping)
    assert check_health()[0]
    assert max(limits) <= 0.1


def test_a_burst_asks_the_stores_once(set_checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    clock = [0.0]
    set_checks(database=lambda: asked.append(clock[0]))
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 3.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    for clock[0] in (3.0, 3.1, 5.9, 6.0, 8.9):
        assert check_health()[0]
    assert asked == [3.0, 6.0]
