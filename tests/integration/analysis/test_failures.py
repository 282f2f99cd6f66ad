"""Analysis when Gemini or a store refuses, is late, or returns invalid data."""

import json
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from imageapi.analysis import gemini
from imageapi.catalog import budgets

from tests.integration.analyses import (
    analysis_event,
    analyze,
    calls,
    gemini_variables,
    new_image,
    queue_event,
    row,
    work_on,
)
from tests.integration.leftovers import die
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


@pytest.mark.parametrize("first", [busy(), Fails(500), Fails(503, "UNAVAILABLE"), Fails(504)])
def test_a_busy_gemini_is_asked_again(stores: Stores, server: GeminiServer, first: Fails) -> None:
    server.script = [first, first, Says()]

    assert analyze(new_image()).status == 200
    assert len(server.requests) == 3
    assert calls(stores) == 1


class Refusal(NamedTuple):
    """The result of an analysis that fails."""

    status: int
    code: str
    retry_after: str | None  # None if another attempt does not help
    requests: int  # to Gemini
    spent: int  # requests that Google charges for
    failures: int  # those that concern every image, which the alarm watches


UNUSABLE = Refusal(503, "analysis_unavailable", "10", requests=1, spent=1, failures=1)
BUSY = Refusal(503, "analysis_unavailable", "30", requests=gemini.ATTEMPTS, spent=0, failures=1)
BLOCKED = Refusal(422, "analysis_blocked", None, requests=1, spent=1, failures=0)
MISCONFIGURED = Refusal(503, "service_misconfigured", None, requests=1, spent=0, failures=1)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (busy(), BUSY),
        (busy(17), BUSY._replace(retry_after="18")),
        *((fails, BUSY._replace(retry_after="10")) for fails in (Fails(500), Fails(503, "UNAVAILABLE"))),
        (Says(text='{"caption": "cut of', finish_reason="MAX_TOKENS"), UNUSABLE),
        *((unusable, UNUSABLE) for unusable in (Says(text=""), Garbage(b"[]"), Garbage(b"{}"), Garbage())),
        *((Blocks(reason), BLOCKED) for reason in ("SAFETY", "PROHIBITED_CONTENT")),
        (Says(text="", finish_reason="IMAGE_SAFETY"), BLOCKED),
        (refuses_key(), MISCONFIGURED),
        (Fails(403, "PERMISSION_DENIED"), MISCONFIGURED),
        (Fails(404, "NOT_FOUND"), MISCONFIGURED),
    ],
)
def test_what_gemini_refuses(
    stores: Stores,
    server: GeminiServer,
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
    behaviour: Any,
    expected: Refusal,
) -> None:
    """In the queue, an analysis waits until an outage ends, and the outage does not use up the budget."""
    image_id = new_image()
    server.script = [behaviour]
    configure(METRICS_NAMESPACE="Tests")
    capsys.readouterr()

    answer = analyze(image_id)

    after = answer.headers.get("retry-after", [None])[0]
    found = (answer.status, answer.code, after, len(server.requests), calls(stores), count_failures(capsys))
    assert found == expected
    assert KEY not in json.dumps(answer.body)
    if expected is BLOCKED:
        reason = getattr(behaviour, "reason", "IMAGE_SAFETY")
        assert answer.body["error"]["details"] == {"reason": reason}
    assert (row(stores, image_id)["status"], row(stores, image_id)["failure"]) == ("failed", answer.code)

    configure(ANALYZE_UPLOADS="true")
    stores.execute("UPDATE image_analysis SET status = 'queued'")
    for _ in range(2):
        stores.execute("UPDATE image_analysis SET lease_until = now()")
        retried = work_on(queue_event(image_id))["batchItemFailures"]
        assert len(retried) == (1 if expected.retry_after else 0)
        assert row(stores, image_id)["status"] == ("queued" if expected.retry_after else "failed")
    attempts = 2 if expected.retry_after else 1
    assert calls(stores) == (1 + attempts) * expected.spent
    assert count_failures(capsys) == attempts * expected.failures

    server.script = [Says()]
    assert analyze(image_id).status == 200
    assert row(stores, image_id)["failure"] is None


def count_failures(capsys: pytest.CaptureFixture[str]) -> int:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return sum(line.get("GeminiFailures", [0])[0] for line in lines)


def test_an_original_that_cannot_be_read(stores: Stores, server: GeminiServer) -> None:
    (missing,) = stores.insert_ready()
    assert analyze(missing).code == "object_missing"
    assert row(stores, missing)["status"] == "failed"

    image_id = new_image()
    with stopped(stores.s3):
        assert analyze(image_id).error == (503, "storage_unavailable")
    assert calls(stores) == 0
    assert analyze(image_id).status == 200


def test_a_call_that_never_left_is_free(stores: Stores, server: GeminiServer, configure: Configure) -> None:
    configure(GEMINI_BASE_URL="http://127.0.0.1:1")
    gemini._client.cache_clear()

    assert analyze(new_image()).code == "analysis_unavailable"
    assert calls(stores) == 0


def test_a_lost_call_is_spent(stores: Stores, server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemini may have processed the call, also before a crash. So a retry counts as another call."""
    image_id = new_image()
    event, variables = analysis_event(image_id), gemini_variables(server)
    die(stores, event, "analysis.gemini.describe_picture", "after", variables=variables)
    assert calls(stores) == 1
    stores.execute("UPDATE image_analysis SET lease_until = now()")
    assert analyze(image_id).status == 200
    assert calls(stores) == 2

    monkeypatch.setattr(gemini, "ATTEMPT_SECONDS", 0.2)
    gemini._client.cache_clear()
    server.script = [Slow(10)]
    late = analyze(image_id, again="true")
    assert late.error == (503, "analysis_unavailable")
    assert late.headers["retry-after"]
    assert calls(stores) == 3


def test_what_is_given_back_after_midnight_is_yesterdays(stores: Stores) -> None:
    day = budgets.spend("x", 2, "spent")
    stores.execute("UPDATE daily_budgets SET day = day - 1")  # as after midnight
    for _ in range(2):
        budgets.spend("x", 2, "spent")

    budgets.give_back("x", day - timedelta(days=1))

    assert budgets.count_used("x") == 2
    budgets.give_back("x", day)
    assert budgets.count_used("x") == 1
