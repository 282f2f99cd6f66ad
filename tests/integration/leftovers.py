"""Leftovers of crashes, created by killing the real code with kill -9."""

from collections.abc import Mapping
from typing import Any

from tests.integration.client import Json, upload, upload_event
from tests.integration.lifecycle import (
    announce_and_post,
    complete_event,
    delete_event,
    deliver_event,
    fetch,
    trash_event,
    trash_image,
)
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import Event
from tests.support.worker import Hook, worker

PICTURE = pictures.jpeg(400, 300)
BROKEN = pictures.truncated(pictures.noisy("JPEG"))
COUNTS = (
    *("finished", "refused", "undone", "purged", "failed", "variants_removed", "variants_lost"),
    *("orphan_objects", "orphans_kept", "missing_objects"),
)


def expire(stores: Stores) -> None:
    """Expire every lease."""
    ago = "now() - interval '1 second'"
    stores.execute(f"UPDATE uploads SET expires_at = {ago}, lease_until = {ago}")
    stores.execute(f"UPDATE pending_removals SET lease_until = {ago}")
    stores.execute(f"UPDATE image_variants SET lease_until = {ago}")


def counts(report: dict[str, Any]) -> dict[str, int]:
    """The nonzero counts of a report."""
    return {name: report[name] for name in COUNTS if report[name]}


def die(
    stores: Stores,
    event: Event,
    target: str,
    when: Any,
    call: int = 1,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Handle an event in a process that a :class:`Hook` kills. ``variables`` extend its environment."""
    with worker(stores.environment | dict(variables or {})) as process:
        process.send(event, Hook(target, when, call))
        process.wait_killed()


def put(stores: Stores, *keys: str, data: bytes = b"x") -> None:
    for key in keys:
        stores.client.put_object(Bucket=stores.s3.bucket, Key=key, Body=data)


def remove(stores: Stores, *keys: str) -> None:
    for key in keys:
        stores.client.delete_object(Bucket=stores.s3.bucket, Key=key)


def upload_and_view() -> Json:
    """An image with a variant, ``w320.webp``."""
    image = upload(PICTURE).image
    fetch(image["urls"]["thumbnail"], "image/webp")
    return image


def cut_upload(stores: Stores, target: str, when: Any) -> None:
    die(stores, upload_event(PICTURE), target, when)


def cut_complete(stores: Stores, target: str, when: Any, call: int = 1) -> None:
    die(stores, complete_event(announce_and_post(PICTURE)), target, when, call)


def cut_refusal(stores: Stores, target: str, when: Any) -> None:
    die(stores, complete_event(announce_and_post(BROKEN)), target, when)


def cut_delete(stores: Stores, target: str, when: Any, call: int = 1) -> None:
    die(stores, delete_event(upload_and_view()["id"]), target, when, call)


def cut_trash(stores: Stores, target: str, when: Any) -> None:
    die(stores, trash_event(upload_and_view()["id"]), target, when)


def cut_render(stores: Stores, target: str, when: Any) -> None:
    image = upload(PICTURE).image
    die(stores, deliver_event(image["urls"]["thumbnail"], "image/webp"), target, when)


def store_variant_of_trashed(stores: Stores) -> None:
    """Leave the object of a request that was killed after storing it."""
    image_id = upload(PICTURE).image["id"]
    trash_image(image_id)
    put(stores, f"variants/{image_id}/w320.webp")


def lose_object(stores: Stores) -> None:
    remove(stores, upload(PICTURE).image["s3_key"])


def lose_variant(stores: Stores) -> None:
    remove(stores, f"variants/{upload_and_view()['id']}/w320.webp")


def forget_variant(stores: Stores) -> None:
    """Leave an object whose lease had expired, so that the sweep had removed its row."""
    upload_and_view()
    stores.execute("DELETE FROM image_variants")
