"""Analyses that wait in the queue: messages, attempts, the schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from imageapi.analysis import gemini

from tests.integration.analyses import new_image, queue, queue_event, row, work_on
from tests.integration.lifecycle import restore_image, trash_image
from tests.integration.stores import Configure, Stores
from tests.support.gemini_server import GeminiServer, busy


def test_uploads_are_queued_only_when_that_is_switched_on(
    stores: Stores, server: GeminiServer, configure: Configure
) -> None:
    new_image()
    assert not stores.execute("SELECT * FROM image_analysis")
    configure(ANALYZE_UPLOADS="true")

    image_id = new_image()

    assert row(stores, image_id)["status"] == "queued"
    assert work_on(queue_event(image_id)) == {"batchItemFailures": [], "outcomes": {image_id: "ready"}}
    assert row(stores, image_id)["status"] == "ready"


def test_an_image_is_trashed_while_it_is_analysed(
    stores: Stores, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The analysis is lost with a message that finds no image, and due again after a restore."""
    image_id = new_image()
    queue(stores, image_id)
    describe = gemini.describe_picture

    def trash_and_describe(jpeg: bytes) -> gemini.Description:
        assert trash_image(image_id).status == 204
        return describe(jpeg)

    with monkeypatch.context() as patch:
        patch.setattr(gemini, "describe_picture", trash_and_describe)
        assert work_on(queue_event(image_id))["outcomes"][image_id] != "ready"
    assert stores.statuses() == ["trashed"]

    assert restore_image(image_id).status == 200
    assert row(stores, image_id)["status"] == "running"
    stores.execute("UPDATE image_analysis SET lease_until = now()")
    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "ready"}
    changes = stores.changes(image_id)
    names = [change["type"].removeprefix("image.") for change in changes]
    assert names == ["uploaded", "trashed", "restored", "analyzed"]


def test_a_message_that_comes_twice_for_nothing_or_too_early(stores: Stores, server: GeminiServer) -> None:
    image_id, queued, running = (new_image() for _ in range(3))
    queue(stores, image_id)
    queue(stores, queued, due="1 minute")
    queue(stores, running, "running", due="1 minute")
    gone = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"

    assert work_on(queue_event(image_id, image_id, gone, queued, running)) == {
        "batchItemFailures": [],
        "outcomes": dict.fromkeys((image_id, gone, queued, running), "not_due"),
    }
    assert len(server.requests) == 1


def test_a_message_whose_work_failed_comes_again_until_it_is_given_up(
    stores: Stores, server: GeminiServer, configure: Configure
) -> None:
    configure(ANALYZE_UPLOADS="true")
    server.script = [busy(60)]
    image_id = new_image()

    for attempt in range(1, 6):
        stores.execute("UPDATE image_analysis SET lease_until = now()")
        outcome = work_on(queue_event(image_id))
        assert outcome["batchItemFailures"] == [{"itemIdentifier": "message-0"}]
        found = row(stores, image_id)
        assert (found["status"], found["attempts"]) == ("queued" if attempt < 5 else "failed", attempt)
        assert found["lease_until"] > datetime.now(UTC) + timedelta(seconds=30)

    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "not_due"}


@pytest.mark.parametrize(("analyzed_at", "status"), [(None, "failed"), (datetime.now(UTC), "ready")])
def test_work_that_ends_the_process_is_given_up(
    stores: Stores, server: GeminiServer, analyzed_at: datetime | None, status: str
) -> None:
    """An analysis whose lease was taken five times and never released."""
    image_id = new_image()
    queue(stores, image_id, "running")
    stores.execute("UPDATE image_analysis SET attempts = 5, analyzed_at = %s", (analyzed_at,))

    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "not_due"}

    assert not server.requests
    found = row(stores, image_id)
    assert (found["status"], found["failure"]) == (status, "analysis_unavailable")


def test_what_is_over_the_budget_waits_for_tomorrow(
    stores: Stores, server: GeminiServer, configure: Configure
) -> None:
    configure(ANALYZE_UPLOADS="true", ANALYSIS_DAILY_BUDGET="1")
    stores.execute("INSERT INTO daily_budgets VALUES ('analyses', (now() AT TIME ZONE 'UTC')::date, 1)")
    image_id = new_image()

    outcome = work_on(queue_event(image_id))

    assert outcome == {"batchItemFailures": [], "outcomes": {image_id: "analysis_budget_spent"}}
    found = row(stores, image_id)
    assert (found["status"], found["attempts"]) == ("queued", 0)
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert abs(found["lease_until"] - tomorrow) < timedelta(seconds=5)


def test_the_schedule_finds_what_waits_too_long(stores: Stores, server: GeminiServer) -> None:
    late, stale, soon, done = stores.insert_ready(4)
    queue(stores, late, due="-20 minutes")
    queue(stores, stale, "running", due="-15 minutes")
    queue(stores, soon, due="-1 minute")
    queue(stores, done, "failed", due="-1 day")

    assert work_on({"source": "aws.events", "detail-type": "Scheduled Event"}) == {"resent": [late, stale]}
