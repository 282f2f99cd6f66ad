"""Records the responses to clients, and compares them with the stores."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.faults.feed import compare_counts, compare_feed
from tests.integration.stores import Stores

PLACES = {"ready": "image", "trashed": "trashed"}
"""The places of images, by the status of their rows."""


@dataclass
class Known:
    """An image as a client knows it.

    Attributes:
        data: its bytes.
        titles: one; two after an unacknowledged change.
        places: where it is, ``image``, ``trashed`` or ``gone``; several after an unacknowledged move.
        image: the last JSON that a client received, or None.
    """

    data: bytes
    titles: list[str]
    places: set[str] = field(default_factory=lambda: {"image"})
    image: dict[str, Any] | None = None


@dataclass
class Ledger:
    """All images, by id or (before they have one) by title, and the ids of deleted images."""

    images: dict[str, Known] = field(default_factory=dict)
    unnamed: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    """Uploads that are not pictures."""
    _told: set[str] = field(default_factory=set)
    """Failed uploads: one sweep leaves a row that records why, the next removes it."""

    def settle(self, stores: Stores) -> list[str]:
        """Compare with the stores after a sweep, and record the outcome of unacknowledged operations.

        Returns:
            The problems found.
        """
        rows, wrong = {}, []
        for row in stores.rows():
            image_id, status = str(row["id"]), row["status"]
            if status in PLACES:
                rows[image_id] = row
            elif not self._is_told(row):
                wrong.append(f"a {status} row is left: {image_id}")
        objects = set(stores.keys())
        wrong += self._compare_objects(stores, objects, rows)
        for image_id, row in rows.items():
            if image_id in self.gone:
                wrong.append(f"deleted, and back again: {image_id}")
            elif image_id not in self.images:
                if row["title"] not in self.unnamed:
                    wrong.append(f"a row that nobody knows: {image_id} {row['title']!r}")
                else:
                    self.images[image_id] = Known(self.unnamed[row["title"]], [row["title"]])
        for image_id, known in list(self.images.items()):
            place = PLACES[rows[image_id]["status"]] if image_id in rows else "gone"
            if place not in known.places:
                wrong.append(f"{place}, where a client was told {sorted(known.places)}: {image_id}")
            if place == "gone":
                self.forget(image_id)
            else:
                wrong += self._compare(stores, objects, rows[image_id], known)
                known.places, known.titles = {place}, [rows[image_id]["title"]]
        self.unnamed.clear()
        return wrong + compare_feed(stores) + compare_counts(stores)

    def _is_told(self, row: dict[str, Any]) -> bool:
        image_id = str(row["id"])
        if row["status"] != "failed" or image_id in self._told:
            return False
        self._told.add(image_id)
        return image_id in self.refused or row["failure"] == "upload_interrupted"

    def forget(self, image_id: str) -> None:
        """Record that the image is permanently gone."""
        del self.images[image_id]
        self.gone.add(image_id)

    @staticmethod
    def _compare(stores: Stores, objects: set[str], row: dict[str, Any], known: Known) -> list[str]:
        wrong = []
        if row["title"] not in known.titles:
            wrong.append(f"the title is {row['title']!r}, not one of {known.titles}: {row['id']}")
        if row["sha256"] != hashlib.sha256(known.data).digest():
            wrong.append(f"the row has another digest: {row['id']}")
        if row["s3_key"] in objects and stores.object(row["s3_key"])[0] != known.data:
            wrong.append(f"the object has other bytes: {row['s3_key']}")
        return wrong

    @staticmethod
    def _compare_objects(stores: Stores, objects: set[str], rows: dict[str, Any]) -> list[str]:
        variants = stores.execute("SELECT image_id, name, status FROM image_variants")
        owned = {row["s3_key"] for row in rows.values()}
        owned |= {f"variants/{v['image_id']}/{v['name']}" for v in variants}
        wrong = [f"a {v['status']} variant is left: {v['name']}" for v in variants if v["status"] != "ready"]
        wrong += [f"an object without a row: {key}" for key in sorted(objects - owned)]
        wrong += [f"a row without its object: {key}" for key in sorted(owned - objects)]
        return wrong
