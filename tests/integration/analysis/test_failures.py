"""Analysis when Gemini or a store refuses, is late, or returns garbage."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from imageapi.analysis import gemini
from imageapi.catalog import budgets

from tests.integration.analyses import (
    analysis_event,
    analyze,
    calls,
    gemini_variables,
    new_image,
    queue,
    queue_event,
    row,
    work_on,
)
from tests.integration.stores import Configure, Stores, stopped
from tests.support.gemini_server import (
    KEY,
    Blocks,
    Fails,
    Garbage,
    GeminiServer,
    Says,
    Slow,
    busy,
    refuses_key,
)
from tests.support.worker import Hook, worker


@pytest.mark.parametrize("first", [busy(), Fails(500), Fails(503, "UNAVAILABLE"), Fails(504)])
def test_a_busy_gemini_is_asked_again(stores: Stores, server: GeminiServer, first: Fails) -> None:
    server.script = [first, first, Says()]

    assert analyze(new_image()).status == 200
    assert len(server.requests) == 3
    assert calls(stores) == 1


@pytest.mark.parametrize(
    ("behaviour", "retry_after"), [(busy(17), "18"), (busy(), "30"), (Fails(503, "UNAVAILABLE"), "10")]
)
def test_a_gemini_that_stays_busy(
    stores: Stores, server: GeminiServer, behaviour: Fails, retry_after: str
) -> None:
    server.script = [behaviour]
    image_id = new_image()

    answer = analyze(image_id)

    assert (answer.status, answer.code) == (503, "analysis_unavailable")
    assert answer.headers["retry-after"] == [retry_after]
    assert len(server.requests) == gemini.ATTEMPTS
    assert (row(stores, image_id)["status"], row(stores, image_id)["failure"]) == ("failed", answer.code)
    server.script = [Says()]
    assert analyze(image_id).status == 200
    assert row(stores, image_id)["failure"] is None


def test_a_gemini_that_does_not_answer_in_time(
    stores: Stores, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gemini, "ATTEMPT_SECONDS", 0.2)
    server.script = [Slow(10)]
    image_id = new_image()
    start = time.monotonic()

    answer = analyze(image_id)

    assert (answer.status, answer.code) == (503, "analysis_unavailable")
    assert time.monotonic() - start < 8
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Says(text="Sure! Here is the JSON:"), "analysis_unavailable"),
        (Says(text='{"caption": "cut of', finish_reason="MAX_TOKENS"), "analysis_unavailable"),
        (Says(text=""), "analysis_unavailable"),
        (Garbage(), "analysis_unavailable"),
        (Garbage(b"[]"), "analysis_unavailable"),
        (Garbage(b"{}"), "analysis_unavailable"),
    ],
)
def test_an_answer_that_is_none(stores: Stores, server: GeminiServer, behaviour: Any, code: str) -> None:
    server.script = [behaviour]

    answer = analyze(new_image())

    assert (answer.status, answer.code) == (503, code)
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(Blocks("SAFETY"), "SAFETY"), (Blocks("PROHIBITED_CONTENT"), "PROHIBITED_CONTENT"),
     (Says(text="", finish_reason="IMAGE_SAFETY"), "IMAGE_SAFETY")],
)  # fmt: skip
def test_a_picture_that_gemini_will_not_describe(
    stores: Stores, server: GeminiServer, behaviour: Any, reason: str
) -> None:
    server.script = [behaviour]
    image_id = new_image()

    answer = analyze(image_id)

    assert (answer.status, answer.code) == (422, "analysis_blocked")
    assert answer.body["error"]["details"] == {"reason": reason}
    assert row(stores, image_id)["status"] == "failed"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "behaviour", [refuses_key(), Fails(403, "PERMISSION_DENIED"), Fails(404, "NOT_FOUND")]
)
def test_a_key_or_a_model_that_gemini_does_not_take(
    stores: Stores, server: GeminiServer, behaviour: Fails
) -> None:
    server.script = [behaviour]

    answer = analyze(new_image())

    assert (answer.status, answer.code) == (503, "service_misconfigured")
    assert KEY not in json.dumps(answer.body)
    assert len(server.requests) == 1


def test_an_original_that_is_gone(stores: Stores, server: GeminiServer) -> None:
    (image_id,) = stores.insert_ready()

    assert analyze(image_id).code == "object_missing"
    assert row(stores, image_id)["status"] == "failed"
    assert calls(stores) == 0


def test_a_store_that_does_not_answer(stores: Stores, server: GeminiServer) -> None:
    image_id = new_image()
    with stopped(stores.s3):
        answer = analyze(image_id)

    assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert calls(stores) == 0
    assert analyze(image_id).status == 200


@pytest.mark.parametrize(
    ("behaviour", "spent"),
    [
        (busy(), 0),
        (Fails(503, "UNAVAILABLE"), 0),
        (refuses_key(), 0),
        (Garbage(), 3),
        (Says(text=""), 3),
        (Blocks("SAFETY"), 1),
    ],
)
def test_only_what_google_charges_for_is_spent(
    stores: Stores, server: GeminiServer, configure: Configure, behaviour: Any, spent: int
) -> None:
    """An outage leaves the budget for the time after it; what is tried again pays again."""
    configure(ANALYZE_UPLOADS="true", ANALYSIS_DAILY_BUDGET="3")
    server.script = [behaviour]
    image_id = new_image()

    for _ in range(3):
        stores.execute("UPDATE image_analysis SET lease_until = now()")
        work_on(queue_event(image_id))

    assert calls(stores) == spent


def test_a_call_that_never_left_is_not_spent(
    stores: Stores, server: GeminiServer, configure: Configure
) -> None:
    configure(GEMINI_BASE_URL="http://127.0.0.1:1")
    gemini._client.cache_clear()

    assert analyze(new_image()).code == "analysis_unavailable"
    assert calls(stores) == 0


def test_a_call_without_an_answer_is_spent(
    stores: Stores, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gemini may have worked on it. So may it before a crash: a retry pays for itself."""
    image_id = new_image()
    with worker(stores.environment | gemini_variables(server)) as process:
        process.send(analysis_event(image_id), Hook("analysis.gemini.describe_picture", "after"))
        process.wait_killed()
    assert calls(stores) == 1
    stores.execute("UPDATE image_analysis SET lease_until = now()")
    assert analyze(image_id).status == 200
    assert calls(stores) == 2

    monkeypatch.setattr(gemini, "ATTEMPT_SECONDS", 0.2)
    server.script = [Slow(10)]
    assert analyze(image_id, again="true").code == "analysis_unavailable"
    assert calls(stores) == 3


def test_what_is_given_back_after_midnight_is_yesterdays(stores: Stores) -> None:
    day = budgets.spend("x", 2, "spent")
    stores.execute("UPDATE daily_budgets SET day = day - 1")  # as if midnight had come
    for _ in range(2):
        budgets.spend("x", 2, "spent")

    budgets.give_back("x", day - timedelta(days=1))

    assert budgets.count_used("x") == 2
    budgets.give_back("x", day)
    assert budgets.count_used("x") == 1


@pytest.mark.parametrize(
    ("behaviour", "failures"),
    [(busy(), 1), (Garbage(), 1), (refuses_key(), 1), (Blocks("SAFETY"), 0), (Says(), 0)],
)
def test_failures_that_are_not_the_pictures_are_counted(
    stores: Stores,
    server: GeminiServer,
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
    behaviour: Any,
    failures: int,
) -> None:
    """By request and through the queue: both write the metric that the alarm watches."""
    server.script = [behaviour]
    image_id = new_image()
    queue(stores, image_id)
    configure(METRICS_NAMESPACE="Tests")
    capsys.readouterr()

    work_on(queue_event(image_id))
    assert count_failures(capsys) == failures
    analyze(image_id, again="true")
    assert count_failures(capsys) == failures


def count_failures(capsys: pytest.CaptureFixture[str]) -> int:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return sum(line.get("GeminiFailures", [0])[0] for line in lines)
