"""Operations that take images away or bring them back."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.faults.service import Outcome
from tests.integration.images.test_batch import batch_event
from tests.integration.lifecycle import delete_event, image_event, restore_event

if TYPE_CHECKING:
    from tests.faults.operations import Attempt, Client


def trash(client: "Client", image_id: str | None = None) -> "Attempt":
    image_id = image_id or client.viewed_image()
    return client.move(image_id, image_event("DELETE", image_id), {204}, {204, 404}, "trashed")


def restore(client: "Client") -> "Attempt":
    image_id = trashed_image(client)
    return client.move(image_id, restore_event(image_id), {200}, {200, 409}, "image")


def delete(client: "Client") -> "Attempt":
    image_id = client.viewed_image()
    return client.move(image_id, delete_event(image_id), {204}, {204, 404}, "gone")


def delete_trashed(client: "Client") -> "Attempt":
    image_id = trashed_image(client)
    return client.move(image_id, delete_event(image_id), {204}, {204, 404}, "gone")


def empty(client: "Client") -> "Attempt":
    """A sweep that finds images whose time is over, one with variants that are still being removed."""
    ids = [trashed_image(client), client.viewed_image()]  # the second is another one: it is not in the trash
    client.kill_after(trash(client, ids[1]), 1)
    client.stores.execute(
        "UPDATE trashed_images SET purge_after = now() - interval '1 s' WHERE id = ANY(%s::uuid[])", (ids,)
    )
    client.expire()
    attempts = [client.move(image_id, {}, {200}, {200}, "gone") for image_id in ids]
    return client.sweep_attempt(lambda outcome: [attempt.acknowledge(outcome) for attempt in attempts])


def batch(client: "Client") -> "Attempt":
    """Images are trashed and restored together, with an Idempotency-Key."""
    operation = client.choose(["trash", "restore", "delete"])
    ids: list[str] = []
    while len(ids) < 2:
        image_id = trashed_image(client) if operation == "restore" else client.viewed_image()
        ids += [image_id] if image_id not in ids else []
    place = {"trash": "trashed", "restore": "image", "delete": "gone"}[operation]
    event = batch_event(ids, operation, key=client.new_key(), atomic=client.choose([True, False]))
    attempts = [client.move(image_id, event, {200}, {200}, place) for image_id in ids]

    def acknowledge(outcome: Outcome) -> None:
        for attempt, result in zip(attempts, outcome.body["results"], strict=True):
            if result["status"] < 400:
                attempt.acknowledge(outcome)

    return replace(attempts[0], function="ImageFunction", acknowledge=acknowledge)


def trashed_image(client: "Client") -> str:
    image_id = client.viewed_image()
    attempt = trash(client, image_id)
    attempt.acknowledge(client.do(attempt))
    return image_id


REMOVALS: dict[str, Callable[["Client"], "Attempt"]] = {
    "trash": trash,
    "restore": restore,
    "delete": delete,
    "delete_trashed": delete_trashed,
    "empty": empty,
    "batch": batch,
}
