"""A webhook reaches no further than the key that answers for it, and stops with it."""

import pytest

from tests.integration.key_requests import make_key, revoke_key
from tests.integration.stores import Stores
from tests.integration.webhooks.calls import add_changes, ask, create, get, take
from tests.integration.webhooks.receiver import Receiver


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
    state = get(stopped)
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
