"""The checks after each schedule."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.mirror import Mirror
from tests.integration.stores import Stores
from tests.interleavings.client import Result
from tests.interleavings.operations import PICTURE, SHA256

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
PLACES = {"image_metadata": "ready", "trashed_images": "trashed"}
TABLES = (*PLACES, "uploads", "pending_removals", "image_variants")
_ALL_ROWS = " UNION ALL ".join(
    f"SELECT '{table}' AS name, to_jsonb(rows) AS row FROM {table} AS rows" for table in TABLES
)


@dataclass(frozen=True)
class Snapshot:
    """Both stores at one moment, while no request is running.

    Attributes:
        rows: by table.
        keys: of all objects.
    """

    rows: Rows
    keys: frozenset[str]

    @property
    def shape(self) -> str:
        """Equal for states between which a sweep makes no difference: without ids and times."""
        rows = {
            name: sorted((row.get("name", ""), row.get("status", ""), row.get("failure")) for row in rows)
            for name, rows in self.rows.items()
        }
        deletions = [(row["s3_key"] is None, row["variants"]) for row in self.rows["pending_removals"]]
        ids = sorted({str(row.get("id") or row["image_id"]) for found in self.rows.values() for row in found})
        text = json.dumps([rows, deletions, sorted(self.keys)])
        for number, image_id in enumerate(ids):
            text = text.replace(image_id, f"<{number}>")
        return text

    def named(self) -> set[str]:
        """The keys that rows name."""
        keys = {str(row["s3_key"]) for table in PLACES for row in self.rows[table]}
        for row in self.rows["uploads"]:
            keys |= {f"incoming/{row['id']}", str(row["s3_key"])}
        for row in self.rows["pending_removals"]:
            keys |= {f"incoming/{row['image_id']}", str(row["s3_key"])}
            keys |= {f"variants/{row['image_id']}/{name}" for name in row["variants"]}
        return keys | {variant_key(row) for row in self.rows["image_variants"]}


def take_snapshot(stores: Stores) -> Snapshot:
    return Snapshot(read_rows(stores), frozenset(stores.keys()))


def read_rows(stores: Stores) -> Rows:
    """The rows of TABLES, by table."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for found in stores.execute(_ALL_ROWS):
        rows[found["name"]].append(found["row"])
    return rows


def variant_key(row: Row) -> str:
    return f"variants/{row['image_id']}/{row['name']}"


def check_answers(results: Sequence[Result]) -> list[str]:
    """No response is a 5xx, except for a view that must wait for another render. None of these requests is
    conditional, and a follower's cursor never expires.
    """
    return [
        f"{result.client} {result.request.kind}: {result.status} {result.code}"
        for result in results
        if (result.status >= 500 and result.code != "variant_pending") or result.status in (410, 412)
    ]


def check_objects_are_named(snapshot: Snapshot) -> list[str]:
    """Each object is named by a row."""
    return [f"an object that no row names: {key}" for key in sorted(snapshot.keys - snapshot.named())]


def check_rows_have_objects(stores: Stores, snapshot: Snapshot) -> list[str]:
    """The original of each image, in the trash or not, and each variant that is ready are there."""
    wrong = []
    for table in PLACES:
        for row in snapshot.rows[table]:
            key = str(row["s3_key"])
            if key not in snapshot.keys:
                wrong.append(f"the original of an image ({PLACES[table]}) is gone: {key}")
            elif stores.object(key)[0] != PICTURE or row["sha256"] != f"\\x{SHA256.hex()}":
                wrong.append(f"the original of an image ({PLACES[table]}) has other bytes: {key}")
    ready = [row for row in snapshot.rows["image_variants"] if row["status"] == "ready"]
    lost = [variant_key(row) for row in ready if variant_key(row) not in snapshot.keys]
    return wrong + [f"a ready variant has no object: {key}" for key in lost]


def check_nothing_is_left(snapshot: Snapshot) -> list[str]:
    """After a sweep, only images, in the trash or not, and their rows and objects are left."""
    left = [f"a row of {table} is left" for table in ("uploads", "pending_removals") if snapshot.rows[table]]
    left += [
        f"a {row['status']} variant is left: {variant_key(row)}"
        for row in snapshot.rows["image_variants"]
        if row["status"] != "ready"
    ]
    return left + check_objects_are_named(snapshot)


def check_mirrors(stores: Stores, results: Sequence[Result]) -> list[str]:
    """A mirror that reads the feed now, and the mirrors of clients that have read a part of it before, equal
    the database.
    """
    wrong = []
    followers = {result.client for result in results if result.request.kind == "follow"}
    for name in ("", *sorted(followers)):
        mirror = Mirror()
        for result in results:
            if result.client == name and result.request.kind == "follow" and result.status == 200:
                mirror.take(result.body)
        mirror.read_all(1_000)
        wrong += [f"the feed is wrong: {problem}" for problem in mirror.wrong]
        wrong += [f"a mirror of the feed: {problem}" for problem in mirror.find_differences(stores)]
    return wrong
