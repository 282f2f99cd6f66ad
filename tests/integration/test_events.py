"""The samples in events/, sent to their functions in template.yaml."""

import re

import pytest

from tests.integration.client import send
from tests.integration.lifecycle import trash_image
from tests.integration.stores import Stores
from tests.support.events import API_KEY, event_names, load_event, load_routes, make_event
from tests.support.waiting import wait_until

OTHER_STATUSES = {
    201: ("create_key", "create_upload", "upload"),
    404: (
        *("complete_upload", "upload_status", "analysis", "image_changes", "image", "update_image"),
        *("delete_image", "restore", "revoke_links", "deliver", "variant", "key", "update_key"),
        *("revoke_key", "confirm_key", "webhook", "update_webhook", "delete_webhook"),
        *("resume_webhook", "rotate_webhook_secret", "test_webhook"),
    ),
    501: ("analyze", "create_webhook"),
}
EXPECTED = dict.fromkeys(event_names(), 200) | {
    name: status for status, names in OTHER_STATUSES.items() for name in names
}
"""The status for each sample when the stores are empty…"""
WITH_IMAGE = dict.fromkeys(("complete_upload", "image", "restore", "revoke_links", "update_image"), 200)
WITH_IMAGE |= {"delete_image": 204, "deliver": 302}
"""… and when its image exists."""


@pytest.mark.parametrize("name", event_names())
def test_sample_is_answered(stores: Stores, name: str) -> None:
    if name == "health":  # a busy machine may exceed its time limit once
        wait_until(lambda: send(load_event(name)).status == EXPECTED[name])
    else:
        assert send(load_event(name)).status == EXPECTED[name]


@pytest.mark.parametrize("name", WITH_IMAGE)
def test_sample_of_an_image_that_is_there(stores: Stores, name: str) -> None:
    event = load_event(name)
    (image_id,) = re.findall("[0-9a-f-]{36}", event["path"])
    stores.insert([image_id], {})
    if name == "deliver":
        stores.insert_variant(image_id, "w320.jpg", "ready")
    if name == "restore":
        trash_image(image_id)

    answer = send(event)

    assert answer.status == WITH_IMAGE[name]
    if answer.body:
        assert answer.image["id"] == image_id


def test_every_route_has_a_sample_or_does_not_answer(stores: Stores) -> None:
    without = set(load_routes()) - {load_event(name)["resource"] for name in event_names()}

    for resource in without:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = send(make_event(method, resource, {"X-API-Key": API_KEY}))
            assert (resource, answer.status) == (resource, 404)
