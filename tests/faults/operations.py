"""Client operations: the event of each, and the meaning of its response."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.ledger import Known, Ledger
from tests.faults.service import Outcome, Service, at_step
from tests.integration.client import upload_event
from tests.integration.images.test_batch import batch_event
from tests.integration.leftovers import BROKEN, expire, put
from tests.integration.lifecycle import (
    HTTP,
    announce_event,
    arrived,
    complete_event,
    delete_event,
    deliver_event,
    image_event,
    post_file,
    restore_event,
    trash_event,
)
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import Event

VARIANTS = ("image/webp", "image/jpeg", "image/avif")
MOVES = {
    "trash": (trash_event, "trashed"),
    "restore": (restore_event, "image"),
    "delete": (delete_event, "gone"),
}
"""Operations that move an image: the event, and the place."""


@dataclass
class Attempt:
    """One operation, prepared.

    Attributes:
        done: the statuses that acknowledge it; ``again``: those that do when the same event is sent again.
        acknowledge: records the response in the ledger.
        image_id: the image that it moves.
    """

    function: str
    event: Event
    done: set[int]
    again: set[int]
    acknowledge: Callable[[Outcome], object] = lambda _: None
    image_id: str = ""


class Client:
    """Prepares operations without faults, and keeps the responses. Completed or ingested pictures are large
    enough for an intermediate.
    """

    def __init__(self, service: Service, stores: Stores, chance: random.Random) -> None:
        self.service = service
        self.stores = stores
        self.ledger = Ledger()
        self._chance = chance
        self._number = 0

    def prepare(self, operation: str) -> Attempt:
        return OPERATIONS[operation](self)

    def do(self, attempt: Attempt) -> Outcome:
        """Run an undisturbed attempt; again if a time limit ends it, as on a busy machine."""
        outcome, done = self.service.run(attempt.function, attempt.event), attempt.done
        if outcome.status == 503:
            outcome, done = self.service.run(attempt.function, attempt.event), attempt.done | attempt.again
        assert outcome.status in done, outcome
        return outcome

    def new_image(self, *, large: bool = False) -> str:
        """Upload an image, which must be acknowledged."""
        attempt = self.upload(large=large)
        attempt.acknowledge(self.do(attempt))
        return next(reversed(self.ledger.images))

    def upload(self, on_duplicate: str | None = None, *, large: bool = False) -> Attempt:
        data, title = self._picture(large=large)
        event = upload_event(data, {"title": title}, "a.jpg", f"key {self._number}", on_duplicate)
        self.ledger.unnamed[title] = data

        def acknowledge(outcome: Outcome) -> None:
            self.ledger.unnamed.pop(title, None)
            image = outcome.body["data"]
            self.ledger.images[image["id"]] = Known(data, [title], image=image)

        return Attempt("UploadFunction", event, {200, 201}, {200}, acknowledge)

    def announce(self) -> Attempt:
        data, title = self._picture()
        event = announce_event(data, f"key {self._number}", metadata={"title": title})
        return Attempt("UploadFunction", event, {200, 201}, {200})

    def complete(self) -> Attempt:
        # An upload that has fully arrived must become an image, whichever process completes it.
        image_id, known = self._arrive_large()

        def acknowledge(outcome: Outcome) -> None:
            known.image = outcome.body["data"]

        return Attempt("UploadFunction", complete_event(image_id), {200, 201}, {200}, acknowledge)

    def ingest(self) -> Attempt:
        image_id, _ = self._arrive_large()
        return Attempt("UploadFunction", arrived(image_id), {200}, {200})

    def refuse(self) -> Attempt:
        image_id = self._arrive(BROKEN, "broken")
        self.ledger.refused.add(image_id)
        return Attempt("UploadFunction", complete_event(image_id), {422}, {422})

    def patch(self, image_id: str | None = None) -> Attempt:
        image_id = image_id or self._some_image()
        title = f"changed {self._next()}"
        known = self.ledger.images[image_id]
        known.titles.append(title)

        def acknowledge(_: Outcome) -> None:
            known.titles = [title]

        event = image_event("PATCH", image_id, {"title": title, "tags": [title]})
        return Attempt("ImageFunction", event, {200}, {200}, acknowledge)

    def render(self, image_id: str) -> Attempt:
        known = self.ledger.images[image_id]
        assert known.image
        event = deliver_event(known.image["urls"]["thumbnail"], self._chance.choice(VARIANTS))
        return Attempt("DeliverFunction", event, {302}, {302})

    def move(self, kind: str, image_id: str) -> Attempt:
        """Move an image to another place: one of MOVES."""
        make_event, place = MOVES[kind]
        known = self.ledger.images[image_id]
        known.places.add(place)

        def acknowledge(_: Outcome) -> None:
            known.places = {place}

        done, again = ({200}, {200, 409}) if kind == "restore" else ({204}, {204, 404})
        return Attempt("ImageFunction", make_event(image_id), done, again, acknowledge, image_id)

    def batch(self) -> Attempt:
        """Trash and restore images together, with an Idempotency-Key."""
        kind = self._chance.choice([*MOVES])
        ids: list[str] = []
        while len(ids) < 2:
            image_id = self.trashed_image() if kind == "restore" else self.viewed_image()
            ids += [image_id] if image_id not in ids else []
        moves = [self.move(kind, image_id) for image_id in ids]

        def acknowledge(outcome: Outcome) -> None:
            for move, result in zip(moves, outcome.body["results"], strict=True):
                if result["status"] < 400:
                    move.acknowledge(outcome)

        key, atomic = f"batch {self._next()}", self._chance.choice([True, False])
        return Attempt(
            "ImageFunction", batch_event(ids, kind, key=key, atomic=atomic), {200}, {200}, acknowledge
        )

    def empty(self) -> Attempt:
        """A sweep that finds images whose time is over, one with variants that are still being removed."""
        ids = [self.trashed_image(), self.viewed_image()]  # another image: the first is in the trash
        self.kill_after(self.move("trash", ids[1]), 1)
        self.stores.execute(
            "UPDATE trashed_images SET purge_after = now() - interval '1 s' WHERE id = ANY(%s::uuid[])",
            (ids,),
        )
        self.expire()
        moves = [self.move("delete", image_id) for image_id in ids]
        return self._sweep_attempt(lambda outcome: [move.acknowledge(outcome) for move in moves])

    def sweep_leftovers(self) -> Attempt:
        """A sweep with leftovers of every kind."""
        self.do(self.announce())
        self.complete()
        self.refuse()
        for operation in ("delete", "trash", "render"):
            self.kill_after(self.prepare(operation), 2)
        put(self.stores, f"originals/orphan-{self._number}")
        self.expire()
        return self._sweep_attempt()

    def race(self, image_id: str, service: Service) -> Outcome:
        """One more operation on an image, by another process, during the first one."""
        kind = self._chance.choice([*MOVES, "patch", "view"])
        if kind == "view":
            image = self.ledger.images[image_id].image
            assert image
            return service.run("DeliverFunction", deliver_event(image["urls"]["preview"], "image/webp"))
        attempt = self.patch(image_id) if kind == "patch" else self.move(kind, image_id)
        return service.run("ImageFunction", attempt.event)

    def trashed_image(self) -> str:
        image_id = self.viewed_image()
        attempt = self.move("trash", image_id)
        attempt.acknowledge(self.do(attempt))
        return image_id

    def viewed_image(self) -> str:
        """The id of an existing image with a variant."""
        image_id = self._some_image()
        self.do(self.render(image_id))
        return image_id

    def kill_after(self, attempt: Attempt, step: int) -> None:
        """Do an operation until it is killed after a step."""
        self.service.run(attempt.function, attempt.event, at_step(step, "after"))

    def expire(self) -> None:
        """Expire the leases of everything in progress."""
        expire(self.stores)

    def sweep(self) -> dict[str, Any]:
        """Run one sweep without faults."""
        self.expire()
        report: dict[str, Any] = self.do(self._sweep_attempt()).body
        return report

    def check_delivery(self, known: Known) -> bool:
        """Whether a link given to a client leads to exactly these bytes."""
        assert known.image
        return self.load(known.image["urls"]["original"]) == known.data

    def load(self, url: str, accept: str = "*/*") -> bytes:
        """The bytes of a link; empty if it is refused."""
        outcome = self.service.run_patiently("DeliverFunction", deliver_event(url, accept))
        return bytes(HTTP.request("GET", outcome.location).data) if outcome.status == 302 else b""

    def trim(self, most: int = 8) -> None:
        """Delete the oldest images, so that rounds do not get slower."""
        while len(self.ledger.images) > most:
            image_id = next(iter(self.ledger.images))
            self.do(self.move("delete", image_id))
            self.ledger.forget(image_id)

    def _next(self) -> int:
        """A number that has not been used before."""
        self._number += 1
        return self._number

    def _picture(self, *, large: bool = False) -> tuple[bytes, str]:
        """Bytes and a title that have not been used before."""
        number, size = self._next(), self._chance.choice([3_000, 60_000, 400_000])
        if large:
            data = pictures.large_jpeg() + str(number).encode()  # decoders ignore bytes after the end
        else:
            data = pictures.jpeg_of_size(size, seed=number)
        return data, f"title {number}"

    def _some_image(self) -> str:
        """The id of an existing image, or of a new one without variants."""
        known = self.ledger.images.items()
        sure = [image_id for image_id, one in known if one.image and one.places == {"image"}]
        return self._chance.choice(sure) if len(sure) > 3 else self.new_image()

    def _arrive(self, data: bytes, title: str) -> str:
        event = announce_event(data, metadata={"title": title})
        ticket = self.do(Attempt("UploadFunction", event, {201}, set())).body["data"]
        assert post_file(ticket["form"], data) < 300
        return str(ticket["id"])

    def _arrive_large(self) -> tuple[str, Known]:
        data, title = self._picture(large=True)
        image_id = self._arrive(data, title)
        known = self.ledger.images[image_id] = Known(data, [title])
        return image_id, known

    def _sweep_attempt(self, acknowledge: Callable[[Outcome], object] = lambda _: None) -> Attempt:
        """A sweep that treats all objects as old."""
        return Attempt("SweepFunction", {"object_grace_seconds": -60}, {200}, {200}, acknowledge)


OPERATIONS: dict[str, Callable[[Client], Attempt]] = {
    "upload": Client.upload,
    "upload_unique": lambda client: client.upload("return"),
    "upload_large": lambda client: client.upload(large=True),
    "announce": Client.announce,
    "complete": Client.complete,
    "ingest": Client.ingest,
    "refuse": Client.refuse,
    "patch": Client.patch,
    "render": lambda client: client.render(client.new_image()),
    "render_large": lambda client: client.render(client.new_image(large=True)),
    "sweep": Client.sweep_leftovers,
    "trash": lambda client: client.move("trash", client.viewed_image()),
    "restore": lambda client: client.move("restore", client.trashed_image()),
    "delete": lambda client: client.move("delete", client.viewed_image()),
    "delete_trashed": lambda client: client.move("delete", client.trashed_image()),
    "empty": Client.empty,
    "batch": Client.batch,
}
