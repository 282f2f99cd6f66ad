"""GET /health and GET /api/database/status, with stores that are up, down or unresponsive."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

import pytest
from imageapi import health

from tests.integration.client import get, upload
from tests.integration.stores import Configure, Server, Stores, paused, stopped
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.waiting import wait_until

Breaking = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def no_old_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 1e-6)


def ask_health() -> Answer:
    answer = get("/health", key=None)
    assert answer.headers["cache-control"] == ["no-store"]
    assert set(answer.body) == {"status", "checks"}
    assert set(answer.body["checks"]) == {"database", "storage"}
    return answer


def ask_until_down(expected: set[str]) -> Answer:
    """Poll until exactly these stores are down: on a busy machine, the others may time out once."""
    answers: list[Answer] = []

    def ask() -> bool:
        answers.append(ask_health())
        return {n for n, check in answers[-1].body["checks"].items() if check["status"] == "down"} == expected

    wait_until(ask, 60)
    return answers[-1]


@pytest.mark.parametrize(
    ("breaking", "broken"),
    [(stopped, {"database"}), (stopped, {"storage"}), (paused, {"database", "storage"})],
    ids=["database stopped", "storage stopped", "both silent"],
)
def test_unhealthy_until_it_is_back(stores: Stores, breaking: Breaking, broken: set[str]) -> None:
    ask_until_down(set())
    servers: dict[str, Server] = {"database": stores.postgres, "storage": stores.s3}

    with breaking(*(servers[name] for name in broken)):
        answer = ask_until_down(broken)

    assert (answer.status, answer.body["status"]) == (503, "unhealthy")
    assert {name for name, check in answer.body["checks"].items() if "error" in check} == broken
    assert ask_until_down(set()).status == 200


@pytest.mark.parametrize(
    ("change", "down"),
    [
        ({"POSTGRES_PASSWORD": "wrong-s3cret"}, {"database"}),
        ({"MINIO_SECRET_KEY": "wrong-s3cret"}, {"storage"}),
        ({"MINIO_BUCKET_NAME": "missing-bucket"}, {"storage"}),
        ({"DB_PORT": "s3cret"}, {"database", "storage"}),
    ],
    ids=lambda value: ",".join(sorted(value)),
)
def test_unhealthy_when_misconfigured(
    stores: Stores, configure: Configure, change: dict[str, str], down: set[str]
) -> None:
    """If the settings are invalid, other routes respond with that error."""
    configure(**change)

    answer = ask_until_down(down)

    assert (answer.status, answer.body["status"]) == (503, "unhealthy")
    assert not any(value in str(answer.body) for value in change.values())
    if len(down) == 2:
        assert {check["error"] for check in answer.body["checks"].values()} == {"service_misconfigured"}
        assert get("/", key=None).error == (503, "service_misconfigured")


def test_database_status(stores: Stores) -> None:
    upload(pictures.jpeg())
    stores.insert_unready("pending")

    answer = get("/api/database/status")

    assert answer.status == 200
    assert (answer.body["status"], answer.body["image_count"]) == ("connected", 1)
    assert answer.body["server_version"] == stores.execute("SHOW server_version")[0]["server_version"]
    assert 0 < answer.body["latency_ms"] < 3_000


@patch.object(health, "TIMEOUT", 1.0)
@pytest.mark.parametrize("breaking", [stopped, paused], ids=["stopped", "silent"])
def test_database_status_without_database(stores: Stores, breaking: Breaking) -> None:
    assert get("/api/database/status").status == 200

    with breaking(stores.postgres):
        start = time.monotonic()
        answer = get("/api/database/status")
        assert time.monotonic() - start < 4.5  # the connection's own limit is 5

    assert answer.error == (503, "database_unavailable")
    assert get("/api/database/status").status == 200
