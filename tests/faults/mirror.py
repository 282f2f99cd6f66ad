"""A mirror of all images that knows only the feed, as docs/api.md describes it."""

import json
from datetime import datetime
from typing import Any

from imageapi.changes.feed import read_changes
from imageapi.model.times import show_time

from tests.integration.stores import Stores

Json = dict[str, Any]
IMAGES = """
    SELECT id, version, link_version, title, description, category, tags, filename, s3_key, mime_type,
           size_bytes, width, height, frames, encode(sha256, 'hex') AS sha256, exif, created_at, updated_at"""


class Mirror:
    """Its knowledge, and its position in the feed; both are saved together.

    Attributes:
        images, trash, analyses, keys: by id, as the API shows them; of a key, whether it was revoked.
        deleted: images whose changes omit their text: a later change says that they are deleted.
        wrong: changes that contradict those before them.
    """

    def __init__(self, saved: str | None = None) -> None:
        state = json.loads(saved) if saved else [{}, {}, {}, {}, None, 0, []]
        self.images: dict[str, Json] = state[0]
        self.trash: dict[str, Json] = state[1]
        self.analyses: dict[str, Json] = state[2]
        self.keys: dict[str, bool] = state[3]
        self.cursor: str | None = state[4]
        self._sequence: int = state[5]
        self.deleted: set[str] = set(state[6])
        self.wrong: list[str] = []

    def save(self) -> str:
        """State and cursor, for a mirror that goes on from here."""
        known = [self.images, self.trash, self.analyses, self.keys]
        return json.dumps([*known, self.cursor, self._sequence, sorted(self.deleted)], sort_keys=True)

    def read(self, limit: int) -> int:
        """Read a page; returns the number of its changes."""
        page: Json = json.loads(read_changes(limit, self.cursor, 0, shows_keys=True))
        self.take(page)
        return len(page["changes"])

    def take(self, page: Json) -> None:
        """Apply a page that was read with this mirror's cursor."""
        for change in page["changes"]:
            try:
                self._apply(change)
            except (KeyError, AssertionError) as error:
                self.wrong.append(f"{error!r} at {change}")
        self.cursor = page["next_cursor"]

    def read_all(self, limit: int) -> None:
        """Read until there is nothing new."""
        while self.read(limit):
            pass

    def find_differences(self, stores: Stores) -> list[str]:
        """The differences from the database."""
        return [
            f"{name} {key}: {mirrored.get(key)} instead of {expected.get(key)}"
            for name, expected in read_database(stores).items()
            for mirrored in [getattr(self, name)]
            for key in sorted(expected.keys() | mirrored.keys())
            if mirrored.get(key) != expected.get(key)
        ]

    def _apply(self, change: Json) -> None:
        assert change["sequence"] > self._sequence, "out of order"
        self._sequence = change["sequence"]
        image_id, before, after = change["subject_id"], change["before"], change["after"]
        match change["type"]:
            case "image.deleted":
                assert sum(image_id in known for known in (self.images, self.trash, self.deleted)) == 1
                self._forget(image_id)
                self.deleted.discard(image_id)
            case kind if kind.startswith("image.") and after is None:
                self._forget(image_id)
                self.deleted.add(image_id)
            case "image.uploaded":
                assert image_id not in self.images
                self.images[image_id] = {**after, "version": change["version"], "link_version": 0}
            case "image.changed" | "image.links_revoked":
                image = self.images[image_id]
                assert {name: image[name] for name in before} == before
                image |= {**after, "version": change["version"]}
            case "image.analyzed":
                known = self.analyses.setdefault(image_id, {})
                assert {name: known[name] for name in before or {}} == (before or {})
                known |= after
            case "image.trashed":
                self.trash[image_id] = {**self.images.pop(image_id), **after}
            case "image.restored":
                links = self.trash.pop(image_id)["link_version"]
                self.images[image_id] = {**after, "version": change["version"], "link_version": links}
            case "key.created":
                assert after["id"] == image_id
                self.keys[image_id] = False
            case "key.changed":
                assert self.keys[image_id] is False
            case "key.revoked":
                assert self.keys[image_id] is False
                self.keys[image_id] = True
            case kind:
                raise KeyError(kind)

    def _forget(self, image_id: str) -> None:
        for known in (self.images, self.trash, self.analyses):
            known.pop(image_id, None)


def read_database(stores: Stores) -> dict[str, Json]:
    """The state that a mirror must have."""
    read = stores.execute
    return {
        "images": by_id(read(f"{IMAGES} FROM image_metadata")),
        "trash": by_id(read(f"{IMAGES}, purge_after AS purge_at FROM trashed_images")),
        "analyses": by_id(
            read(
                """SELECT image_id AS key, model, caption, tags, text_seen, safety, analyzed_at
                   FROM image_analysis WHERE analyzed_at IS NOT NULL
                   UNION ALL
                   SELECT id, kept.model, kept.caption, kept.tags, kept.text_seen, kept.safety,
                          kept.analyzed_at
                   FROM trashed_images, jsonb_populate_record(NULL::image_analysis, analysis) AS kept
                   WHERE kept.analyzed_at IS NOT NULL"""
            )
        ),
        "keys": {row["id"]: bool(row["revoked_at"]) for row in read("SELECT id, revoked_at FROM api_keys")},
    }


def by_id(rows: list[Json]) -> dict[str, Json]:
    """Rows as the API shows them, by ``key`` or ``id``."""
    shown = [
        {name: show_time(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in rows
    ]
    return {row.pop("key", None) or row["id"]: row for row in shown}
