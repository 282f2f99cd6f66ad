"""Objects and rows side by side: what has no row, and what has no object.

Both come in the order of their keys, so each page of the bucket is compared with the rows of the same range
of keys. Where there are many rows and few objects, a page's range is cut into several.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from imageapi import db, rows, storage, variant_rows

BATCH = 500
"""A range has at most so many rows; each may cost a request to the store."""
_AFTER_ALL = "~"
"""Comes after every key."""
LAST_KEY = f"variants/{_AFTER_ALL}"
"""The end of the last range."""

_Object = tuple[str, datetime]


@dataclass(frozen=True)
class KeyRange:
    """What was found in one range of keys.

    Attributes:
        end: the key up to which it goes.
        originals: how many objects in it are originals.
        orphans: keys of objects that no row accounts for.
        missing: ids of ready images whose original is gone.
        lost: ready renditions whose object is gone.
    """

    end: str
    originals: int = 0
    orphans: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lost: tuple[variant_rows.Name, ...] = ()


def compare_stores(older_than: datetime, after: str = "") -> Iterator[KeyRange]:
    """Compare all there is after a key, a range at a time and in the order of keys.

    Args:
        older_than: younger objects may still get their row.
        after: the ``end`` of a range to go on from.
    """
    for prefix, compare in _AREAS.items():
        if after < prefix + _AFTER_ALL:
            yield from compare(max(after, prefix), older_than)


def _compare_incoming(after: str, older_than: datetime) -> Iterator[KeyRange]:
    for page in storage.list_objects("incoming/", after):
        old = [key for key, modified in page if modified < older_than]
        ids = [image_id for image_id in map(_read_id, old) if image_id]
        waiting = db.query(
            "SELECT id FROM image_metadata WHERE status <> 'ready' AND id = ANY(%s::uuid[])", (ids,)
        )
        owned = {storage.incoming_key(row["id"]) for row in waiting}
        if page:
            yield KeyRange(page[-1][0], orphans=tuple(key for key in old if key not in owned))


def _compare_originals(after: str, older_than: datetime) -> Iterator[KeyRange]:
    for end, objects, found in _key_ranges("originals/", after, _find_originals):
        orphans = _find_orphans(objects, found, older_than)
        missing = _find_missing(_find_absent(objects, found))
        yield KeyRange(end, len(objects), orphans, tuple(missing))


def _compare_variants(after: str, older_than: datetime) -> Iterator[KeyRange]:
    for end, objects, found in _key_ranges("variants/", after, _find_variants):
        orphans = _find_orphans(objects, found, older_than)
        lost = [
            (row["image_id"], row["name"])
            for row in _find_absent(objects, found)
            if not storage.object_exists(row["key"])
        ]
        yield KeyRange(end, orphans=orphans, lost=tuple(lost))


def _find_orphans(objects: list[_Object], found: list[db.Row], older_than: datetime) -> tuple[str, ...]:
    owned = {row["key"] for row in found}
    return tuple(key for key, modified in objects if modified < older_than and key not in owned)


def _find_absent(objects: list[_Object], found: list[db.Row]) -> list[db.Row]:
    """Ready rows whose object was not listed."""
    present = {key for key, _ in objects}
    return [row for row in found if row["status"] == "ready" and row["key"] not in present]


def _find_missing(absent: list[db.Row]) -> list[str]:
    """The ids of those that are missing for good: an image that came after its part of the bucket was
    listed, or that has gone since, is not.
    """
    ids = [row["id"] for row in absent if not storage.object_exists(row["key"])]
    if not ids:
        return []
    ready = db.query(
        "SELECT id FROM image_metadata WHERE status = 'ready' AND id = ANY(%s::uuid[]) ORDER BY id", (ids,)
    )
    return [row["id"] for row in ready]


def _find_originals(low: str, high: str) -> list[db.Row]:
    return db.query(
        """SELECT id, s3_key AS key, status FROM image_metadata
           WHERE s3_key > %s AND s3_key <= %s ORDER BY s3_key LIMIT %s""",
        (low, high, BATCH),
    )


def _find_variants(low: str, high: str) -> list[db.Row]:
    found = variant_rows.find_between(low, high, BATCH)
    return [row | {"key": storage.variant_key(row["image_id"], row["name"])} for row in found]


def _key_ranges(
    prefix: str, after: str, find_rows: Callable[[str, str], list[db.Row]]
) -> Iterator[tuple[str, list[_Object], list[db.Row]]]:
    """Ranges that cover all keys of an area after one: their end, their objects and their rows.

    Args:
        find_rows: the first BATCH rows (or all, when they are fewer) after one key and up to another, in the
            order of keys, each with its ``key``.
    """
    low = after
    for high, page in _pages(prefix, after):
        while low < high:
            found = find_rows(low, high)
            end = found[-1]["key"] if len(found) == BATCH else high
            yield end, [item for item in page if low < item[0] <= end], found
            low = end


def _pages(prefix: str, after: str) -> Iterator[tuple[str, list[_Object]]]:
    """The bucket's pages with the key up to which each goes; the last one has no objects."""
    for page in storage.list_objects(prefix, after):
        if page:
            yield page[-1][0], page
    yield prefix + _AFTER_ALL, []


def _read_id(key: str) -> str | None:
    part = key.split("/")[1]
    return part if rows.ID.fullmatch(part) else None


_AREAS = {  # in the order of their keys
    "incoming/": _compare_incoming,
    "originals/": _compare_originals,
    "variants/": _compare_variants,
}
