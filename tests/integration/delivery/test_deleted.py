"""Images that are deleted or trashed while one of their variants is being rendered."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from imageapi.catalog import trash
from imageapi.delivery.removals import finish_removals
from imageapi.storage import s3

from tests.integration.client import Json
from tests.integration.lifecycle import (
    delete_for_good,
    deliver_event,
    fetch,
    get_image,
    restore_image,
    trash_image,
)
from tests.integration.stores import Stores

WEBP = "image/webp"


def restore(image_id: str) -> None:
    trash_image(image_id)
    assert restore_image(image_id).status == 200


def restore_and_view(image_id: str) -> None:
    restore(image_id)
    assert fetch(get_image(image_id).image["urls"]["thumbnail"], WEBP).status == 200


REMOVALS: dict[str, tuple[Callable[[str], object], int, list[str], int]] = {
    "trashed": (trash_image, 404, ["trashed"], 1),
    "restored": (restore, 302, ["ready"], 2),
    "restored and viewed": (restore_and_view, 302, ["ready"], 2),
    "deleted": (delete_for_good, 404, [], 0),
}
"""What happens to the image, the answer to its view then, and what is left: images and objects."""


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("target", ["storage.s3.download", "decoder.client.render", "storage.s3.put_object"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_removed_while_rendered(stores: Stores, image: Json, removal: str, target: str, when: Any) -> None:
    remove, status, statuses, objects = REMOVALS[removal]
    with stores.paused_at(deliver_event(image["urls"]["thumbnail"], WEBP), target, when) as process:
        remove(image["id"])
        answer = process.finish()

    assert answer.status == status
    assert (stores.statuses(), len(stores.keys())) == (statuses, objects)
    assert stores.variants() == [("w320.webp", "ready")] * (objects - 1)
    if status == 302:
        assert fetch(image["urls"]["thumbnail"], WEBP).status == 200


def test_a_variant_noted_while_the_removal_ends_is_removed_too(stores: Stores, image: Json) -> None:
    """Otherwise the removal would stay, and refuse to restore the image until its lease expired."""
    removals = trash.move([image["id"]], 30)
    late = f"variants/{image['id']}/w320.webp"
    s3.put_object(late, b"...", content_type=WEBP, sha256=hashlib.sha256(b"...").digest())
    with closing(stores.postgres.connect()) as other, ThreadPoolExecutor() as threads:
        other.cursor().execute("UPDATE pending_removals SET variants = '{w320.webp}'")
        ending = threads.submit(finish_removals, removals)
        stores.wait_for_lock()
        other.commit()
        ending.result()

    assert stores.keys() == [f"originals/{image['id']}.jpg"]
    assert restore_image(image["id"]).status == 200
