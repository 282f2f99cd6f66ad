"""Idempotency-Keys of different API keys never meet."""

import pytest

from tests.integration.client import send, upload_event
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import announce_event
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import API_KEY, Event

PICTURE = pictures.jpeg()


def as_key(event: Event, key: str) -> Event:
    event["headers"]["X-API-Key"] = key
    return event


@pytest.mark.parametrize("on_duplicate", [None, "allow"])
def test_the_same_one_of_two_keys_is_two_images(stores: Stores, on_duplicate: str | None) -> None:
    first, second = (make_key("images:read", "images:write") for _ in range(2))
    keys = [first["key"], second["key"], API_KEY]

    def upload(key: str) -> tuple[int, str]:
        event = upload_event(PICTURE, idempotency_key="k", on_duplicate=on_duplicate)
        answer = send(as_key(event, key))
        return answer.status, answer.image["id"]

    made = [upload(key) for key in keys]
    again = [upload(key) for key in keys]

    assert [status for status, _ in made] == [201] * 3
    assert again == [(200, image_id) for _, image_id in made]
    assert len({image_id for _, image_id in made}) == 3
    assert set(stores.idempotency_keys()) == {f"{first['id']}\nk", f"{second['id']}\nk", "k"}


def test_the_same_one_of_two_keys_is_two_announcements(stores: Stores) -> None:
    keys = [make_key("images:write")["key"], make_key("images:write")["key"], API_KEY]

    def announce(key: str) -> tuple[int, str]:
        answer = send(as_key(announce_event(PICTURE, "k"), key))
        return answer.status, answer.body["data"]["id"]

    made = [announce(key) for key in keys]
    again = [announce(key) for key in keys]

    assert [status for status, _ in made] == [201] * 3
    assert again == [(200, upload_id) for _, upload_id in made]
    assert len({upload_id for _, upload_id in made}) == 3


def test_other_requests_of_one_key_do_not_reveal_anothers(stores: Stores) -> None:
    """With one table for all, the answer would be that the key was used for another request."""
    send(upload_event(PICTURE, {"title": "secret"}, idempotency_key="k"))

    event = upload_event(PICTURE, {"title": "other"}, idempotency_key="k")
    answer = send(as_key(event, make_key("images:read", "images:write")["key"]))

    assert (answer.status, answer.image["title"]) == (201, "other")


def test_no_header_looks_like_another_keys(stores: Stores) -> None:
    key_id = make_key("images:write")["id"]

    answer = send(upload_event(PICTURE, idempotency_key=f"{key_id}\nk"))

    assert answer.error == (400, "idempotency_key_invalid")
