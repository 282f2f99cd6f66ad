"""Objects and rows side by side: what has no row, and what has no object.

Both come in the order of their keys, so each page of the bucket is compared with the rows of the same
stretch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from imageapi import db, rows, storage

BATCH = 1_000
_AFTER_ALL = "~"
"""Comes after every key."""


@dataclass(frozen=True)
class Stretch:
    """What was found in one stretch of keys.

    Attributes:
        end: the key up to which it goes.
        objects: how many there are in it.
        orphans: keys of objects that no row accounts for.
        missing: ids of ready images whose original is gone.
        lost: renditions that have a row and no object: ``(image id, name)``.
    """

    end: str
    objects: int
    orphans: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()


def compare_stores(older_than: datetime, after: str = "") -> Iterator[Stretch]:
    """Compare all there is after a key, a page at a time and in the order of keys.

    Args:
        older_than: younger objects may still get their row.
        after: the ``end`` of a stretch to go on from.
    """
    for prefix, compare in _AREAS.items():
        if after < prefix + _AFTER_ALL:
            yield from compare(max(after, prefix), older_than)


def drop_renditions(keys: Sequence[str]) -> list[str]:
    """The keys without those of renditions that have a row by now: one may be made again under the same key
    while the rest is compared.
    """
    parts = [key.split("/", 2) for key in keys if key.startswith("variants/") and _read_id(key)]
    rows_now = db.query(
        """SELECT image_id, name FROM image_variants
           WHERE (image_id, name) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))""",
        ([image_id for _, image_id, _ in parts], [name for *_, name in parts]),
    )
    made = {storage.variant_key(row["image_id"], row["name"]) for row in rows_now}
    return [key for key in keys if key not in made]


def _compare_incoming(after: str, older_than: datetime) -> Iterator[Stretch]:
    for page in storage.list_objects("incoming/", after):
        old = [key for key, modified in page if modified < older_than]
        ids = [image_id for image_id in map(_read_id, old) if image_id]
        waiting = db.query(
            "SELECT id FROM image_metadata WHERE status <> 'ready' AND id = ANY(%s::uuid[])", (ids,)
        )
        owned = {storage.incoming_key(row["id"]) for row in waiting}
        if page:
            yield Stretch(page[-1][0], len(page), tuple(key for key in old if key not in owned))


def _compare_originals(after: str, older_than: datetime) -> Iterator[Stretch]:
    for low, high, page in _stretches("originals/", after):
        present = {key for key, _ in page}
        owned: set[str] = set()
        missing: list[str] = []
        for row in _originals_between(low, high):
            owned.add(row["s3_key"])
            if row["status"] == "ready" and row["s3_key"] not in present and _is_still_missing(row):
                missing.append(row["id"])
        orphans = (key for key, modified in page if modified < older_than and key not in owned)
        yield Stretch(high, len(page), tuple(orphans), tuple(missing))


def _originals_between(low: str, high: str) -> Iterator[db.Row]:
    while True:
        batch = db.query(
            """SELECT id, s3_key, status FROM image_metadata
               WHERE s3_key > %s AND s3_key <= %s ORDER BY s3_key LIMIT %s""",
            (low, high, BATCH),
        )
        yield from batch
        if len(batch) < BATCH:
            return
        low = batch[-1]["s3_key"]


def _is_still_missing(row: db.Row) -> bool:
    """An image that came after its part of the bucket was listed, or that has gone since, is not missing."""
    if storage.object_exists(row["s3_key"]):
        return False
    now = rows.find(row["id"])
    return now is not None and now["status"] == "ready"


def _compare_variants(after: str, older_than: datetime) -> Iterator[Stretch]:
    for low, high, page in _stretches("variants/", after):
        present = {key for key, _ in page}
        owned: set[str] = set()
        lost: list[tuple[str, str]] = []
        for row in _variants_between(
            _read_id(low) or str(UUID(int=0)), _read_id(high) or str(UUID(int=2**128 - 1))
        ):
            key = storage.variant_key(row["image_id"], row["name"])
            owned.add(key)
            absent = low < key <= high and key not in present and row["status"] == "ready"
            if absent and not storage.object_exists(key):
                lost.append((row["image_id"], row["name"]))
        orphans = (key for key, modified in page if modified < older_than and key not in owned)
        yield Stretch(high, len(page), tuple(orphans), lost=tuple(lost))


def _variants_between(first: str, last: str) -> Iterator[db.Row]:
    name = ""
    while True:
        batch = db.query(
            """SELECT image_id, name, status FROM image_variants
               WHERE (image_id, name) > (%s, %s) AND image_id <= %s ORDER BY image_id, name LIMIT %s""",
            (first, name, last, BATCH),
        )
        yield from batch
        if len(batch) < BATCH:
            return
        first, name = batch[-1]["image_id"], batch[-1]["name"]


def _stretches(prefix: str, after: str) -> Iterator[tuple[str, str, list[tuple[str, datetime]]]]:
    """The bucket's pages with the stretch of keys that each is about; the last one has no objects."""
    low = after
    for page in storage.list_objects(prefix, after):
        if page:
            yield low, page[-1][0], page
            low = page[-1][0]
    yield low, prefix + _AFTER_ALL, []


def _read_id(key: str) -> str | None:
    part = key.split("/")[1].partition(".")[0]
    return part if rows.ID.fullmatch(part) else None


_AREAS = {  # in the order of their keys
    "incoming/": _compare_incoming,
    "originals/": _compare_originals,
    "variants/": _compare_variants,
}
