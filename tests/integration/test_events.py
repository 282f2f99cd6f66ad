"""The samples in events/, sent to their functions in template.yaml."""

from typing import Any

import pytest

from tests.integration.client import send
from tests.integration.lifecycle import trash_image
from tests.integration.stores import Stores
from tests.support.events import (
    API_KEY,
    Event,
    event_names,
    function_for,
    load_event,
    load_routes,
    make_event,
)
from tests.support.waiting import wait_until

EXPECTED = {
    "analysis": 501,
    "asset": 200,
    "batch": 200,
    "categories": 200,
    "changes": 200,
    "complete_upload": 404,
    "create_key": 201,
    "create_upload": 201,
    "create_webhook": 501,
    "database_status": 200,
    "delete_image": 404,
    "delete_webhook": 404,
    "deliver": 404,
    "docs": 200,
    "gallery": 200,
    "health": 200,
    "history": 404,
    "image": 404,
    "keys": 200,
    "list": 200,
    "openapi": 200,
    "own_key": 200,
    "restore": 404,
    "resume_webhook": 404,
    "revoke_key": 404,
    "confirm_key": 404,
    "revoke_links": 404,
    "rotate_webhook_secret": 404,
    "tags": 200,
    "test_webhook": 404,
    "update_image": 404,
    "upload": 201,
    "variant": 404,
    "webhook": 404,
    "webhooks": 200,
}
"""The status for each sample when the stores are empty…"""

WITH_IMAGE = {
    "complete_upload": 200,
    "delete_image": 204,
    "deliver": 302,
    "image": 200,
    "restore": 200,
    "revoke_links": 200,
    "update_image": 200,
}
"""… and when its image exists."""


@pytest.mark.parametrize("name", event_names())
def test_sample_is_answered(stores: Stores, name: str) -> None:
    assert function_for(name).endswith("Function")

    if name == "health":  # has a time limit that a busy machine may exceed once
        wait_until(lambda: send(load_event(name)).status == EXPECTED[name])
    else:
        assert send(load_event(name)).status == EXPECTED[name]


@pytest.mark.parametrize("name", WITH_IMAGE)
def test_sample_of_an_image_that_is_there(stores: Stores, name: str) -> None:
    event = load_event(name)
    image_id = event["pathParameters"]["id"]
    stores.insert([image_id], {})
    if name == "deliver":
        stores.insert_variant(image_id, "w320.jpg", "ready")
    if name == "restore":
        trash_image(image_id)

    answer = send(event)

    assert answer.status == WITH_IMAGE[name]
    if answer.body:
        assert answer.image["id"] == image_id


@pytest.mark.parametrize("name", event_names())
def test_sample_has_the_shape_of_a_made_event(name: str) -> None:
    sample = load_event(name)

    made = make_event(sample["httpMethod"], sample["path"])

    assert key_tree(made, "headers", "multiValueHeaders", "pathParameters") == key_tree(
        sample, "headers", "multiValueHeaders", "pathParameters"
    )
    assert sample["resource"] == made["resource"]
    assert sample["pathParameters"] == made["pathParameters"]
    assert set(made["headers"]) <= set(sample["headers"])
    assert sample["requestContext"]["path"] == f"/{sample['requestContext']['stage']}{sample['path']}"
    for plural, singular in (
        ("multiValueHeaders", "headers"),
        ("multiValueQueryStringParameters", "queryStringParameters"),
    ):
        many, one = sample[plural] or {}, sample[singular] or {}
        assert {key: values[-1] for key, values in many.items()} == one


def test_upload_sample_is_a_photo_with_japanese_text(stores: Stores) -> None:
    image = send(load_event("upload")).image

    assert (image["title"], image["category"], image["tags"]) == ("夕焼けの海", "風景", ["海", "夕焼け"])
    assert image["filename"] == "夕焼け.jpg"
    assert image["exif"]["camera"] == "Canon EOS R5"
    assert (image["width"], image["height"], image["exif"]["orientation"]) == (48, 64, 6)
    assert image["urls"]["original"].startswith("https://")

    (listed,) = send(load_event("list")).body["images"]
    assert listed["id"] == image["id"]


def test_every_route_has_a_sample_or_does_not_answer(stores: Stores) -> None:
    without = set(load_routes()) - {load_event(name)["resource"] for name in event_names()}

    for resource in without:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = send(make_event(method, resource, {"X-API-Key": API_KEY}))
            assert (resource, answer.status) == (resource, 404)


def key_tree(value: Any, *leaves: str) -> Any:
    """The keys of nested objects, ignoring everything below ``leaves`` and in queries."""
    if not isinstance(value, dict):
        return None
    ignored = {*leaves, "queryStringParameters", "multiValueQueryStringParameters"}
    return {key: None if key in ignored else key_tree(inner, *leaves) for key, inner in Event(value).items()}
