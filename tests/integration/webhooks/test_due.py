"""The queue of each webhook: order, leases, retries, pause. Tests call the functions as `make run` does."""

import json
from datetime import datetime
from typing import Any

import pytest
from imageapi.catalog import webhooks
from imageapi.model.times import show_time
from imageapi.webhooks import due

from local.gateway.webhook_poller import DUE_SQL
from tests.integration.client import upload
from tests.integration.stores import Stores
from tests.integration.webhooks.calls import (
    add_changes,
    ask,
    create,
    deliver,
    get,
    send_taken,
    settle,
    shift,
    take,
)
from tests.integration.webhooks.receiver import Receiver
from tests.support import pictures

LAMBDA_BYTES = 6 * 1024 * 1024
"""The maximum size of a function's response, with or without escaped characters."""


def sequences(deliveries: list[dict[str, Any]]) -> list[list[int]]:
    return [[message["sequence"] for message in delivery["messages"]] for delivery in deliveries]


def test_a_change_is_delivered_as_the_feed_has_it(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    image = upload(pictures.jpeg(), {"title": "猫"}).image

    assert deliver() == {"settled": 1, "lost": 0}
    (body,) = server.changes(webhook["secret"])
    (row,) = [change for change in service.changes() if change["type"] == "image.uploaded"]
    time = row["time"]
    names = ("sequence", "type", "version", "request_id", "before", "after")
    known = {"subject_id": image["id"], "key_id": "root", "created_at": show_time(time)}
    data = {name: row[name] for name in names} | known
    assert body == {"type": "image.uploaded", "timestamp": show_time(time), "data": data}
    identifier = f"chg_{row['sequence']}_{int(time.timestamp()) * 1_000_000 + time.microsecond}"
    assert server.received[0][1]["webhook-id"] == identifier
    (result,) = get(webhook)["results"]
    assert datetime.fromisoformat(result.pop("sent_at"))
    assert 0 <= result.pop("duration_ms") < 10_000
    expected = {"status": 204, "error": None, "retry_after": None}
    assert result == {"id": identifier, "type": "image.uploaded"} | expected
    assert take() == []


def test_secrets_are_not_logged(service: Stores, server: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    webhook = create(server.url + "/?token=of-the-url")
    add_changes(service, 1)
    server.statuses = [500]
    deliver()
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "webhook not delivered" in logged
    assert webhook["secret"] not in logged
    assert "of-the-url" not in logged


def test_the_next_is_sent_when_the_one_before_was_accepted(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    expected = add_changes(service, 4)
    server.statuses = [204, 503]
    deliver()

    assert take() == []
    state = get(webhook)
    assert (state["state"], state["results"][0]["retry_after"]) == ("failing", 1800)
    wait = datetime.fromisoformat(state["next_attempt_at"]) - datetime.fromisoformat(state["failing_since"])
    assert wait.total_seconds() == 1800, "as long as a busy receiver asks for"
    shift(service, "next_attempt_at", "1800 seconds")
    deliver()
    found = [change["data"]["sequence"] for change in server.changes(webhook["secret"])]
    assert found == [expected[0], expected[1], *expected[1:]]
    state = get(webhook)
    assert (state["state"], state["failing_since"], state["next_attempt_at"]) == ("active", None, None)
    assert [result["status"] for result in state["results"]] == [204, 204, 204, 503, 204]


def test_unwanted_changes_are_skipped(
    service: Stores, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "WINDOW", 3)
    create(server.url, "key.created", "image.deleted")
    add_changes(service, 10)
    assert take() == []
    assert not service.execute(f"SELECT FROM webhooks WHERE {webhooks.IS_DUE}"), "they are behind"
    assert service.execute("SELECT sequence FROM webhooks") == service.execute(
        "SELECT max(sequence) AS sequence FROM changes"
    ), "none is searched again"
    add_changes(service, 10)
    (wanted,) = add_changes(service, 1, "image.deleted")
    add_changes(service, 10)
    assert sequences(take()) == [[wanted]]


def test_changes_from_now_on_at_most_20_in_one_lease(service: Stores, server: Receiver) -> None:
    add_changes(service, 3)
    webhook = create(server.url)
    assert take() == []
    expected = add_changes(service, 45)
    for start in (0, 20, 40):
        taken = take()
        assert sequences(taken) == [expected[start : start + 20]]
        settle(send_taken(taken))
    assert len(get(webhook)["results"]) == 10


def test_all_deliveries_together_fit_into_an_answer(service: Stores, server: Receiver) -> None:
    for _ in range(due.MAX_WEBHOOKS):
        create(server.url)
    service.execute(
        """INSERT INTO changes_unnumbered (type, subject_id, after)
           SELECT 'image.changed', gen_random_uuid(), jsonb_build_object('a', repeat('猫"', 20000))
           FROM generate_series(1, 3)"""
    )
    accepted = {"body": None, "status": 204, "error": None, "retry_after": None}
    sizes, found = [], set()
    while taken := take():
        assert len(taken) == due.MAX_WEBHOOKS, "each has a share"
        sizes.append(len(json.dumps(taken)))
        found |= {(one["webhook_id"], message["id"]) for one in taken for message in one["messages"]}
        settle([one | {"results": [message | accepted for message in one["messages"]]} for one in taken])
    assert max(sizes) < LAMBDA_BYTES
    assert len(found) == 3 * due.MAX_WEBHOOKS


def test_a_lease_is_exclusive_and_a_lost_one_changes_nothing(service: Stores, server: Receiver) -> None:
    create(server.url)
    (sequence,) = add_changes(service, 1)
    first = take()
    assert take() == []
    shift(service, "lease_until", "1 minute")
    second = take()
    assert sequences(second) == sequences(first) == [[sequence]]
    before = service.execute("SELECT * FROM webhooks")
    assert settle(send_taken(first)) == {"settled": 0, "lost": 1}
    assert service.execute("SELECT * FROM webhooks") == before
    outcomes = send_taken(second)
    assert settle(outcomes)["settled"] == 1
    assert settle(outcomes) == {"settled": 0, "lost": 1}, "not twice"
    ids = [headers["webhook-id"] for _, headers, _ in server.received]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "the same at each attempt"


def test_a_day_of_failures_pauses_and_resume_goes_on_from_now(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    add_changes(service, 1)
    server.statuses = [500] * 50
    deliver()
    shift(service, "next_attempt_at", "1 hour")
    shift(service, "failing_since", "23 hours")
    deliver()
    assert get(webhook)["state"] == "failing"
    assert ask("POST", f"/{webhook['id']}/resume").code == "webhook_not_paused"
    shift(service, "next_attempt_at", "1 hour")
    shift(service, "failing_since", "1 hour")
    deliver()
    state = get(webhook)
    assert (state["state"], state["pause_reason"], state["next_attempt_at"]) == ("paused", "failing", None)
    shift(service, "next_attempt_at", "2 hours")
    add_changes(service, 1)
    assert take() == []

    server.statuses = []
    answer = ask("POST", f"/{webhook['id']}/resume")
    assert (answer.status, answer.body["data"]["state"]) == (200, "active")
    assert take() == []
    expected = add_changes(service, 1)
    assert sequences(take()) == [expected]


def test_a_test_is_sent_next_and_tells_whether_a_paused_webhook_works_again(
    service: Stores, server: Receiver
) -> None:
    webhook = create(server.url)
    add_changes(service, 1)
    answer = ask("POST", f"/{webhook['id']}/test")
    assert (answer.status, answer.body["data"]["id"]) == (202, webhook["id"])
    deliver()
    deliver()
    assert server.types(webhook["secret"]) == ["webhook.test", "image.changed"]
    tested, changed = (change["data"] for change in server.changes(webhook["secret"]))
    assert tested.keys() == changed.keys()
    assert (tested["type"], tested["subject_id"]) == ("webhook.test", webhook["id"])
    assert [result["type"] for result in get(webhook)["results"]] == ["image.changed", "webhook.test"]

    service.execute("UPDATE webhooks SET paused_at = now(), failing_since = now() - interval '1 day'")
    server.statuses = [500]
    for status in (500, 204):
        ask("POST", f"/{webhook['id']}/test")
        deliver()
        state = get(webhook)
        assert (state["state"], state["results"][0]["status"]) == ("paused", status)
        assert take() == [], "one attempt"


def test_deleted_while_a_delivery_is_under_way(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    add_changes(service, 1)
    taken = take()
    assert ask("DELETE", f"/{webhook['id']}").status == 204
    assert settle(send_taken(taken)) == {"settled": 0, "lost": 1}
    assert take() == []


def test_each_webhook_has_its_own_progress(service: Stores, server: Receiver) -> None:
    slow, quick = create(server.url, "image.changed"), create(server.url)
    add_changes(service, 1)
    taken = take()
    assert {delivery["webhook_id"] for delivery in taken} == {slow["id"], quick["id"]}
    settle(send_taken([delivery for delivery in taken if delivery["webhook_id"] == quick["id"]]))
    add_changes(service, 1)
    assert [delivery["webhook_id"] for delivery in take()] == [quick["id"]]


def test_what_is_polled_is_what_is_taken() -> None:
    assert " ".join(webhooks.IS_DUE.split()) in " ".join(DUE_SQL.split())
