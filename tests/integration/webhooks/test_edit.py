"""Webhooks: conditional changes and deletions, new owners, and repeated creation requests."""

import json
from typing import Any

from tests.integration.client import send
from tests.integration.key_requests import make_key, revoke_key
from tests.integration.stores import Stores
from tests.integration.webhooks.calls import deliver, get, send_taken, settle, take
from tests.integration.webhooks.receiver import Receiver
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event


def ask(method: str, path: str = "", values: Any = None, *, key: str = API_KEY, **headers: str) -> Answer:
    sent = {"X-API-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = "" if values is None else json.dumps(values)
    return send(make_event(method, f"/api/webhooks{path}", sent, body=body))


def test_a_webhook_is_changed_at_its_version(service: Stores, server: Receiver) -> None:
    made = ask("POST", values={"url": f"{server.url}?token=1", "types": ["*"]})
    path, etag = f"/{made.body['data']['id']}", made.headers["etag"][0]

    tested = ask("POST", f"{path}/test")
    assert (tested.status, tested.headers["location"]) == (202, made.headers["location"])
    deliver()
    answer = ask("GET", path, If_None_Match=etag)  # a result creates no new version
    assert (answer.status, answer.body["data"]["version"], len(answer.body["data"]["results"])) == (200, 1, 1)

    changed = ask("PATCH", path, {"types": ["image.trashed"]}, If_Match=etag).body["data"]
    assert (changed["types"], changed["version"], changed["url"][-2:]) == (["image.trashed"], 2, "?…")
    for values in ({}, {"types": ["image.trashed"]}):
        assert ask("PATCH", path, values).body["data"]["version"] == 2
    assert ask("DELETE", path, If_Match='"2"').status == 204
    assert ask("PATCH", path, {}).error == (404, "webhook_not_found")


def test_a_result_of_the_old_url_does_not_count_for_the_new_one(service: Stores, server: Receiver) -> None:
    webhook = ask("POST", values={"url": f"{server.url}/old", "types": ["image.uploaded"]}).body["data"]
    service.insert_ready()
    server.statuses = [410]
    outcomes = send_taken(take())

    ask("PATCH", f"/{webhook['id']}", {"url": f"{server.url}/new"})

    assert settle(outcomes) == {"settled": 0, "lost": 1}
    assert get(webhook)["state"] == "active"
    assert deliver() == {"settled": 1, "lost": 0}


def test_whoever_changes_it_answers_for_it(service: Stores, server: Receiver) -> None:
    webhook = ask("POST", values={"url": server.url, "types": ["*"]}).body["data"]
    path, manager = f"/{webhook['id']}", make_key("keys:manage")
    assert ask("PATCH", path, {"url": server.url}, key=manager["key"]).error == (403, "scope_missing")
    changed = ask("PATCH", path, {"types": ["key.created"]}, key=manager["key"]).body["data"]
    assert changed["created_by"] == manager["id"]

    revoke_key(manager["id"])
    assert (get(webhook)["state"], get(webhook)["pause_reason"]) == ("paused", "key_invalid")


def test_an_idempotency_key_makes_one_webhook(service: Stores, server: Receiver) -> None:
    values = {"url": server.url, "types": ["*"]}
    first = ask("POST", values=values, Idempotency_Key="once")
    again = ask("POST", values=values, Idempotency_Key="once")
    assert (again.status, again.body["data"]) == (200, first.body["data"] | {"secret": None})
    ask("DELETE", f"/{first.body['data']['id']}")
    assert ask("POST", values=values, Idempotency_Key="once").status == 201
