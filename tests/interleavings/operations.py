"""The operations, the states of an image in which they meet, and the pairs of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement

from tests.integration.client import upload_event
from tests.integration.images.test_batch import batch_event
from tests.integration.leftovers import expire
from tests.integration.lifecycle import (
    KEY,
    announce_event,
    arrived,
    complete_event,
    delete_event,
    deliver_event,
    image_event,
    post_file,
    restore_event,
    sign,
    trash_event,
)
from tests.integration.stores import Stores
from tests.interleavings.client import Process, Request, Result, Script, fill
from tests.support import pictures
from tests.support.events import Event, make_event

PICTURE = pictures.jpeg()
SHA256 = hashlib.sha256(PICTURE).digest()
UPLOAD, IMAGE = "UploadFunction", "ImageFunction"
VARIANT = "w320"


def batch(operation: str) -> Callable[[str, str], Event]:
    """A batch of one image; a category has the client's name."""

    def make_event_of(image_id: str, client: str) -> Event:
        values = {"category": f"of {client}"} if operation == "set_category" else {}
        return batch_event([image_id], operation, key=f"batch of {client}", **values)

    return make_event_of


EVENTS: dict[str, tuple[str, Callable[[str, str], Event]]] = {
    "upload": (UPLOAD, lambda *_: upload_event(PICTURE, {"title": "new"}, "a.jpg", "the same key")),
    "announce": (UPLOAD, lambda *_: announce_event(PICTURE, "the same key", metadata={"title": "new"})),
    "complete": (UPLOAD, lambda image_id, _: complete_event(image_id)),
    "event": (UPLOAD, lambda image_id, _: arrived(image_id)),
    "view": ("DeliverFunction", lambda image_id, _: deliver_event(sign(image_id, VARIANT))),
    "edit": (IMAGE, lambda image_id, name: image_event("PATCH", image_id, {"title": f"of {name}"})),
    "revoke": (IMAGE, lambda image_id, _: make_event("POST", f"/api/images/{image_id}/links/revoke", KEY)),
    "trash": (IMAGE, lambda image_id, _: trash_event(image_id)),
    "restore": (IMAGE, lambda image_id, _: restore_event(image_id)),
    "delete": (IMAGE, lambda image_id, _: delete_event(image_id)),
    "batch": (IMAGE, batch("set_category")),
    "batch-trash": (IMAGE, batch("trash")),
    "batch-restore": (IMAGE, batch("restore")),
    "sweep": ("SweepFunction", lambda *_: {}),
}
"""By kind of request except ``follow``: the function, and the event for an image and a client's name."""


def make_request(kind: str, image_id: str, client: str, cursor: str = "") -> Request:
    """A request of a kind.

    Args:
        cursor: the place in the feed where a follower goes on.
    """
    if kind == "follow":
        event = make_event("GET", "/api/changes", KEY, {"cursor": cursor} if cursor else {})
        return Request(kind, "ChangesFunction", event)
    function, make = EVENTS[kind]
    return Request(kind, function, make(image_id, client), "" if kind == "upload" else image_id)


def play(kinds: list[str], image_id: str, client: str) -> Script:
    """A client's requests. One that creates an image passes its id on; if refused, the client gives up."""
    cursor = ""
    for kind in kinds:
        result: Result = yield make_request(kind, image_id, client, cursor)
        if kind in ("follow", "upload") and result.status >= 400:
            return
        if kind == "follow":
            cursor = result.body["next_cursor"]
        if kind == "upload":
            image_id = result.body["data"]["id"]


@dataclass(frozen=True)
class Start:
    """A state of an image from which clients begin.

    Attributes:
        prepare: creates it in empty stores, and returns the image's id, if any.
        first: operations; each pair contains at least one.
        second: further ones.
        before: the first requests of a client, unless its operation is in ``first`` or needs no image.
    """

    prepare: Callable[["Preparation"], str]
    first: tuple[str, ...]
    second: tuple[str, ...]
    before: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """All pairs of operations."""
        among = list(combinations_with_replacement(self.first, 2))
        return among + [(one, two) for one in self.first for two in self.second]

    def requests(self, operation: str) -> list[str]:
        """The kinds of requests of an operation."""
        kinds = SEVERAL.get(operation, (operation,))
        begins_at_once = operation in (*self.first, "sweep", "follow")
        return [*kinds] if begins_at_once else [*self.before, *kinds]


@dataclass(frozen=True)
class Preparation:
    """Prepares a state."""

    stores: Stores
    process: Process

    def do(self, kind: str, image_id: str = "", abandon_at: str = "") -> Result:
        """Run a single request; it must succeed unless it is abandoned."""
        result = Result("", make_request(kind, image_id, ""), 0)
        answered = self.process.run(result.request, abandon_at)
        if not abandon_at:
            fill(result, answered)
            assert result.status < 400, result
        return result

    def nothing(self) -> str:
        return ""

    def image(self) -> str:
        return str(self.do("upload").body["data"]["id"])

    def viewed(self) -> str:
        image_id = self.image()
        self.do("view", image_id)
        return image_id

    def trashed(self) -> str:
        """In the trash, and its time is over: the next sweep deletes it."""
        image_id = self.viewed()
        self.do("trash", image_id)
        self.stores.execute("UPDATE trashed_images SET purge_after = now() - interval '1 second'")
        return image_id

    def cut_upload(self) -> str:
        """Its request was killed before it created the image."""
        self.do("upload", abandon_at="catalog.images.insert")
        expire(self.stores)
        return ""

    def cut_view(self) -> str:
        image_id = self.image()
        self.do("view", image_id, abandon_at="PUT variants/")
        expire(self.stores)
        return image_id

    def cut_trash(self) -> str:
        image_id = self.viewed()
        self.do("trash", image_id, abandon_at="DELETE ")
        expire(self.stores)
        return image_id

    def arrived(self) -> str:
        """A file at incoming/ whose upload was not completed in time."""
        ticket = self.do("announce").body["data"]
        assert post_file(ticket["form"], PICTURE) < 300
        self.stores.execute("UPDATE uploads SET expires_at = now() - interval '1 second'")
        return str(ticket["id"])


SEVERAL = {
    "undo": ("trash", "restore", "view"),
    "restore": ("restore", "view"),
    "follow": ("follow", "follow"),
}
"""Operations of several requests."""
ON_IMAGES = ("view", "edit", "trash", "delete", "undo", "revoke", "batch", "batch-trash", "follow")
IN_TRASH = ("trash", "batch-restore", "view", "follow")
STARTS = {
    "new": Start(Preparation.nothing, ("upload",), ON_IMAGES, ("upload",)),
    "cut-upload": Start(Preparation.cut_upload, ("upload", "sweep"), ON_IMAGES, ("upload",)),
    "arrived": Start(Preparation.arrived, ("complete", "event", "sweep"), ON_IMAGES, ("complete",)),
    "image": Start(Preparation.image, (*ON_IMAGES, "sweep"), ()),
    "viewed": Start(Preparation.viewed, ("trash", "delete", "undo", "batch-trash", "sweep"), ()),
    "cut-view": Start(Preparation.cut_view, ("view", "sweep"), ("trash", "delete", "undo")),
    "trashed": Start(Preparation.trashed, ("restore", "delete", "sweep"), IN_TRASH),
    "cut-trash": Start(Preparation.cut_trash, ("restore", "delete", "sweep"), IN_TRASH),
}


def all_cases() -> list[tuple[str, tuple[str, ...]]]:
    """Each state with each pair of operations."""
    return [(name, pair) for name, start in STARTS.items() for pair in start.pairs()]
