"""Images that are deleted while one of their variants is being made."""

from typing import Any

import pytest

from tests.integration.client import upload
from tests.integration.lifecycle import delete_event, delete_for_good, deliver_event, open_link, sweep
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.waiting import wait_until
from tests.support.worker import STEP, Hook, worker

WEBP = "image/webp"


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    """An existing image."""
    return upload(pictures.jpeg(800, 600)).image


@pytest.mark.parametrize("target", ["storage.s3.download", "pictures.render.render", "storage.s3.put_object"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_deleted_while_it_is_rendered(stores: Stores, image: dict[str, Any], target: str, when: Any) -> None:
    with worker(stores.environment) as process:
        process.send(deliver_event(image["urls"]["thumbnail"], WEBP), Hook(target, when, 1, "pause"))
        process.wait_paused()
        assert delete_for_good(image["id"]).status == 204
        process.resume()
        answer = process.answer()

    assert answer.status == 404
    assert stores.is_empty()
    assert stores.variants() == []


@pytest.mark.parametrize("call", range(1, 4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_rendered_while_it_is_deleted(stores: Stores, image: dict[str, Any], call: int, when: Any) -> None:
    with worker(stores.environment) as process:
        process.send(delete_event(image["id"]), Hook(STEP, when, call, "pause"))
        process.wait_paused()
        answer = open_link(image["urls"]["thumbnail"], WEBP)
        assert answer.status == (302 if (call, when) == (1, "before") else 404)
        process.resume()
        assert process.answer().status == 204

    assert stores.is_empty()
    assert stores.variants() == []


def test_deleted_and_then_killed_while_it_is_rendered(stores: Stores, image: dict[str, Any]) -> None:
    with worker(stores.environment) as process:
        process.send(
            deliver_event(image["urls"]["thumbnail"], WEBP),
            Hook("storage.s3.put_object", "before", 1, "pause"),
        )
        process.wait_paused()
        assert delete_for_good(image["id"]).status == 204
        process.resume()
        wait_until(lambda: stores.keys() or process.answer())
        process.kill()

    sweep()
    assert stores.is_empty()
