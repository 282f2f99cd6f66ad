"""Whether some order of the requests explains the responses and leads to the rows (linearizability).

Each image is judged on its own. A request has its effect at one moment between its first and its last call;
a refused one has none, and a 404 is right only while the image is absent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.interleavings.checks import PLACES, Rows
from tests.interleavings.client import Result


class Image(NamedTuple):
    """An image as clients know it.

    Attributes:
        place: ``absent`` before it is created, ``ready``, ``trashed``, or permanently ``gone``.
    """

    place: str = "absent"
    title: str = "new"
    category: str = ""
    link_version: int = 0


Effect = Callable[[Image], Image | None]
"""The effect of a request on an image; returns None if its response was impossible."""


def check_acknowledged(results: Sequence[Result], start: Mapping[str, Image], rows: Rows) -> list[str]:
    """Acknowledged requests, and no others, had their effects.

    Args:
        start: the images before the requests, by id.
    """
    end = read_images(rows)
    named = {name: find_effects(results, name) for name in {*start, *end, *map(find_id, results)} if name}
    return [
        f"the responses do not lead to {end.get(name, 'no image')}, in any order"
        for name, effects in named.items()
        if not can_lead(effects, start.get(name, Image()), end.get(name))
    ]


def read_images(rows: Rows) -> dict[str, Image]:
    """The images, in the trash or not, by id."""
    return {
        row["id"]: Image(place, row["title"], row["category"], row["link_version"])
        for table, place in PLACES.items()
        for row in rows[table]
    }


def find_id(result: Result) -> str:
    """The image of a request; empty if there is none."""
    created = result.request.kind in ("upload", "complete") and result.status < 400
    return str(result.body["data"]["id"]) if created else result.request.image_id


def find_effects(results: Sequence[Result], image_id: str) -> list[tuple[Result, Effect]]:
    own = [result for result in results if find_id(result) == image_id or result.request.kind == "sweep"]
    return [(result, effect) for result in own if (effect := find_effect(result))]


def can_lead(effects: Sequence[tuple[Result, Effect]], image: Image, end: Image | None) -> bool:
    """Whether some order explains the end, in which no request precedes one that ended before it began."""
    if not effects:
        return image == end or (end is None and image.place in ("absent", "gone"))
    for place, (result, effect) in enumerate(effects):
        others = [*effects[:place], *effects[place + 1 :]]
        may_be_first = all(other.ended > result.began for other, _ in others)
        after = effect(image) if may_be_first else None
        if after and can_lead(others, after, end):
            return True
    return False


def find_effect(result: Result) -> Effect | None:
    """The effect of a request; None if its response proves nothing."""
    kind, status = result.request.kind, result.status
    if kind.startswith("batch"):
        status = result.body["results"][0]["status"] if status == 200 else status
    if status == 404:
        absent = {"restore": ("trashed",), "batch-restore": ("trashed",), "delete": ("ready", "trashed")}
        return lambda image: None if image.place in absent.get(kind, ("ready",)) else image
    if status >= 400 or kind == "follow":
        return None
    match kind:
        case "upload" | "complete":
            return move("absent", to="ready") if result.status == 201 else move("ready", to="ready")
        case "event":
            completed = bool(result.body["completed"])
            return move("absent", "ready", to="ready") if completed else None
        case "view":
            return move("ready", to="ready")
        case "edit":
            return lambda image: change(image, title=f"of {result.client}")
        case "batch":
            return lambda image: change(image, category=f"of {result.client}")
        case "revoke":
            return lambda image: change(image, link_version=image.link_version + 1)
        case "trash" | "batch-trash":
            return move("ready", "trashed", to="trashed")
        case "restore" | "batch-restore":
            return move("trashed", to="ready")
        case "delete":
            return move("ready", "trashed", "gone", to="gone")
        case "sweep":
            return find_swept(result.body)
    raise ValueError(kind)


def find_swept(report: dict[str, Any]) -> Effect | None:
    """The effect of a sweep on the only image."""
    if report["purged"]:
        return move("trashed", "gone", to="gone")
    return move("absent", "ready", to="ready") if report["finished"] else None


def move(*places: str, to: str) -> Effect:
    """A move to another place, from these."""
    return lambda image: image._replace(place=to) if image.place in places else None


def change(image: Image, **values: Any) -> Image | None:
    """Change an image, which must not be in the trash."""
    return image._replace(**values) if image.place == "ready" else None
