"""Compares objects with rows: finds orphans, and rows without an object.

Both are read in id order, so that each page of the bucket is compared with the rows of its id range. A range
with many rows and few objects is split.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from imageapi.catalog import originals, pending_removals, uploads, variants
from imageapi.database import db
from imageapi.model.ids import is_id
from imageapi.storage import s3
from imageapi.storage.object_keys import variant_key

BATCH = 500
"""Maximum number of rows per part; each may require a request to the store."""
ORIGINALS, INCOMING, VARIANTS = "originals/", "incoming/", "variants/"
_AFTER_ALL = "~"
"""Sorts after every key of an area."""

_Object = tuple[str, datetime]


@dataclass(frozen=True)
class Part:
    """The result of one range of keys.

    Attributes:
        end: the end of the range, inclusive.
        objects: the keys of all objects in the range.
        orphans: keys of objects without a row.
        missing: ids of images whose original is missing.
        lost: rows of ready variants whose object is missing.
    """

    end: str
    objects: list[str]
    orphans: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lost: list[db.Row] = field(default_factory=list)

    @property
    def is_of_originals(self) -> bool:
        return self.end.startswith(ORIGINALS)

    @property
    def is_last(self) -> bool:
        return self.end == VARIANTS + _AFTER_ALL


def compare_stores(older_than: datetime, after: str = "") -> Iterator[Part]:
    """Compare all objects and rows, area by area, in parts.

    Args:
        older_than: younger objects may still get a row.
        after: the ``end`` of the last part, to resume after it.
    """
    compare = {ORIGINALS: _compare_originals, INCOMING: _compare_incoming, VARIANTS: _compare_variants}
    areas = list(compare)
    begin = next((index for index, area in enumerate(areas) if after.startswith(area)), 0)
    for area in areas[begin:]:
        if after != area + _AFTER_ALL:
            yield from compare[area](after if after.startswith(area) else area, older_than)


def _compare_originals(after: str, older_than: datetime) -> Iterator[Part]:
    def find_rows(low: str, high: str) -> list[db.Row]:
        rows = originals.find_between(_first_id(low), _first_id(high), BATCH)
        return [{"id": row["id"], "key": row["s3_key"]} for row in rows]

    for end, objects, rows in _cut(ORIGINALS, after, find_rows):
        orphans = _find_orphans(objects, rows, older_than)
        absent = [row["id"] for row in _find_absent(objects, rows)]
        # Images that have been deleted since are not missing.
        missing = sorted(originals.find_object_keys(absent)) if absent else []
        yield Part(end, [key for key, _ in objects], orphans, missing)


def _compare_incoming(after: str, older_than: datetime) -> Iterator[Part]:
    for end, objects in _pages(INCOMING, after):
        old = [key for key, modified in objects if modified < older_than]
        ids = [read_id(key) for key in old if is_id(read_id(key))]
        owned = {*uploads.find_object_keys(ids), *pending_removals.find_pending(ids)} if ids else set()
        yield Part(end, [key for key, _ in objects], [key for key in old if read_id(key) not in owned])


def _compare_variants(after: str, older_than: datetime) -> Iterator[Part]:
    def find_rows(low: str, high: str) -> list[db.Row]:
        first, name = _first_id(low), low.rpartition("/")[2]
        place = (first, name if read_id(low) == first else "")
        rows = variants.find_between(place, _first_id(high), BATCH)
        return [row | {"key": variant_key(row["image_id"], row["name"])} for row in rows]

    for end, objects, rows in _cut(VARIANTS, after, find_rows):
        orphans = _find_orphans(objects, rows, older_than)
        ready = [row for row in rows if row["status"] == "ready"]
        yield Part(end, [key for key, _ in objects], orphans, lost=_find_absent(objects, ready))


def _find_orphans(objects: list[_Object], rows: list[db.Row], older_than: datetime) -> list[str]:
    owned = {row["key"] for row in rows}
    found = [key for key, modified in objects if modified < older_than and key not in owned]
    ids = [read_id(key) for key in found if is_id(read_id(key))]
    if not ids:
        return found
    # Read tables in the order in which rows move, to find a row that moves in between.
    owned = {*uploads.find_object_keys(ids).values(), *originals.find_object_keys(ids).values()}
    deleted = pending_removals.find_pending(ids)
    return [key for key in found if key not in owned and read_id(key) not in deleted]


def _find_absent(objects: list[_Object], rows: list[db.Row]) -> list[db.Row]:
    """Rows whose object is neither listed nor found by key."""
    listed = {key for key, _ in objects}
    return [row for row in rows if row["key"] not in listed and not s3.object_exists(row["key"])]


def _cut(
    prefix: str, after: str, find_rows: Callable[[str, str], list[db.Row]]
) -> Iterator[tuple[str, list[_Object], list[db.Row]]]:
    """Split the keys of an area after one key into ranges. Yields end, objects and rows of each.

    Args:
        find_rows: returns the first BATCH rows after one key and up to another, in key order, each with its
            ``key``. It may return more rows on both sides.
    """
    low = after
    for high, page in _pages(prefix, after):
        while low < high:
            rows = find_rows(low, high)
            end = min(rows[-1]["key"], high) if len(rows) == BATCH else high
            inside = [row for row in rows if low < row["key"] <= end]
            yield end, [item for item in page if low < item[0] <= end], inside
            low = end


def _pages(prefix: str, after: str) -> Iterator[tuple[str, list[_Object]]]:
    """The bucket's pages, each with its end. The last one is empty."""
    for page in s3.list_objects(prefix, after):
        if page:
            yield page[-1][0], page
    yield prefix + _AFTER_ALL, []


def read_id(key: str) -> str:
    """The part of a key that should be an id."""
    return key.partition("/")[2].partition("/")[0].partition(".")[0]


def _first_id(key: str) -> str:
    """The smallest id that is not below the one in a key; the largest id if all are below."""
    text = read_id(key)
    low, high = 0, 2**128 - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if str(UUID(int=middle)) < text else (low, middle)
    return str(UUID(int=low))
