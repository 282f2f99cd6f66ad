"""The routes of webhooks: responses and refusals. A webhook ends with its key."""

import json
from typing import Any

import pytest

from tests.integration.key_requests import make_key, revoke_key
from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.calls import add_changes, ask, create, take
from tests.integration.webhooks.receiver import Receiver
from tests.support.events import as_manager
from tests.unit.webhook_sender.test_addresses import answer_lookups

URL = "https://93.184.215.14/hook"


def post(**values: Any) -> Any:
    return ask("POST", body=json.dumps({"url": URL, "types": ["*"]} | values))


def test_the_secret_is_shown_once(service: Stores) -> None:
    webhook = create(URL, "image.deleted", "image.uploaded", "image.deleted")
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook == {
        "id": webhook["id"],
        "url": URL,
        "types": ["image.uploaded", "image.deleted"],
        "created_by": "root",
        "version": 1,
        "created_at": webhook["created_at"],
        "updated_at": webhook["created_at"],
        "rotated_at": None,
        "state": "active",
        "pause_reason": None,
        "failing_since": None,
        "next_attempt_at": None,
        "results": [],
    }
    another = create(URL)
    another.pop("secret")
    assert ask("GET", f"/{webhook['id']}").body["data"] == webhook
    assert ask("GET").body == {"webhooks": [another, webhook], "next_cursor": None}
    assert ask("DELETE", f"/{webhook['id'].upper()}").status == 204
    assert ask("GET").body == {"webhooks": [another], "next_cursor": None}


@pytest.mark.parametrize("webhook_id", ["0197f2c4-1111-7000-8000-000000000000", "none"])
def test_unknown_webhooks(service: Stores, webhook_id: str) -> None:
    for method, path in (
        *(("GET", ""), ("DELETE", "")),
        *(("POST", f"/{name}") for name in ("test", "resume", "secret/rotate")),
    ):
        assert ask(method, f"/{webhook_id}{path}").error == (404, "webhook_not_found"), path


def test_the_query_of_the_url_is_sent_and_not_shown(service: Stores) -> None:
    created = create(f"{URL}?token=a&b")
    shown = [created, ask("GET", f"/{created['id']}").body["data"], *ask("GET").body["webhooks"]]
    shown += [ask("POST", f"/{created['id']}{path}").body["data"] for path in ("/test", "/secret/rotate")]
    assert {webhook["url"] for webhook in shown} == {f"{URL}?…"}
    assert take()[0]["url"] == f"{URL}?token=a&b"


def test_private_addresses_and_http_need_the_permission(service: Stores, configure: Configure) -> None:
    assert post(url="http://127.0.0.1/").status == 201
    configure(WEBHOOK_ALLOW_PRIVATE=None)
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "[fd00:ec2::254]"):
        assert post(url=f"https://{host}/").error == (422, "field_invalid")
    for url in ("http://169.254.169.254/", "http://93.184.215.14/"):
        assert post(url=url).error == (422, "field_invalid")
    assert len(ask("GET").body["webhooks"]) == 1


def test_names(service: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(WEBHOOK_ALLOW_PRIVATE=None)
    for name in ("a" * 64, "\ud800"):
        assert post(url=f"https://{name}.example/").body["error"]["details"]["field"] == "url"
    with as_manager():  # one connection for all
        assert post().status == 201
        answer_lookups(monkeypatch, ["127.0.0.1"])
        assert post(url="https://inside.example/").code == "field_invalid"
        answer_lookups(monkeypatch, ["93.184.215.14"])
        assert post(url="https://outside.example/").status == 201


def test_at_most_20(service: Stores) -> None:
    for _ in range(20):
        create(URL)
    assert post().error == (422, "too_many_webhooks")
    ask("DELETE", f"/{ask('GET').body['webhooks'][3]['id']}")
    assert post().status == 201


def test_where_nothing_sends(service: Stores, configure: Configure) -> None:
    configure(WEBHOOKS=None)
    assert post().error == (501, "webhooks_not_configured")
    assert ask("GET").body == {"webhooks": [], "next_cursor": None}


@pytest.mark.parametrize("kind", ["image.deleted", "*"])
def test_only_changes_of_images_need_images_read(service: Stores, server: Receiver, kind: str) -> None:
    manager, reader = make_key("keys:manage"), make_key("keys:manage", "images:read")["key"]
    body = f'{{"url": "{server.url}", "types": ["key.created", "{kind}"]}}'
    answer = ask("POST", body=body, key=manager["key"])
    assert answer.error == (403, "scope_missing")
    assert answer.body["error"]["details"] == {"scope": "images:read"}
    assert service.execute("SELECT * FROM webhooks") == []
    create(server.url, "key.created", kind, key=reader)
    webhook = create(server.url, "key.revoked", "webhook.created", key=manager["key"])
    assert webhook["created_by"] == manager["id"]
    found = {one["webhook_id"]: [message["type"] for message in one["messages"]] for one in take()}
    assert found[webhook["id"]] == ["webhook.created"], "its own"


END = {
    "revoked": "UPDATE api_keys SET revoked_at = now() WHERE id = %s",
    "expired": "UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = %s",
    "removed": "DELETE FROM api_keys WHERE id = %s",
}


@pytest.mark.parametrize("end", END)
def test_it_stops_with_its_key(service: Stores, server: Receiver, end: str) -> None:
    key = make_key("keys:manage", "images:read")
    stopped, other = create(server.url, key=key["key"]), create(server.url)
    service.execute(END[end], (key["id"],))
    add_changes(service, 1)
    ask("POST", f"/{stopped['id']}/test")
    assert [delivery["webhook_id"] for delivery in take()] == [other["id"]]
    state = ask("GET", f"/{stopped['id']}").body["data"]
    assert (state["state"], state["pause_reason"]) == ("paused", "key_invalid")
    assert ask("DELETE", f"/{stopped['id']}").status == 204


def test_whoever_resumes_it_answers_for_it(service: Stores, server: Receiver) -> None:
    old, new = (make_key("keys:manage", "images:read") for _ in range(2))
    webhook = create(server.url, key=old["key"])
    path = f"/{webhook['id']}/resume"
    assert ask("POST", path, key=new["key"]).error == (409, "webhook_not_paused")
    revoke_key(old["id"])
    assert ask("POST", path, key=make_key("keys:manage")["key"]).error == (403, "scope_missing")
    add_changes(service, 1)
    assert ask("POST", path, key=new["key"]).body["data"]["created_by"] == new["id"]
    assert take() == [], "those before are in the feed"
    add_changes(service, 1)
    assert len(take()) == 1
