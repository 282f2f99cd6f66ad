"""Changes as JSON text. ``before`` and ``after`` stay text: parsing and writing them is slow."""

import json
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring

from imageapi.database import db
from imageapi.model.times import show_time

MAX_BYTES = 5_000_000
"""Of all changes in one response. Lambda's limit for a response is 6 MB."""


def fit(rows: Sequence[db.Row], max_bytes: int = MAX_BYTES) -> Sequence[db.Row]:
    """As many of the first rows of ``catalog.changes`` as fit into a response, at least one."""
    size = 0
    for count, row in enumerate(rows):
        # An upper bound after Lambda's escaping: up to 12 bytes per character, and 1,000 for other values.
        size += 1_000 + sum(len(json.dumps(row[name] or "")) for name in ("before", "after"))
        if count and size > max_bytes:
            return rows[:count]
    return rows


def serialize_change(row: db.Row) -> str:
    """Change in openapi.json, from a row of ``catalog.changes``."""
    # A page has hundreds of changes, for which json.dumps() takes three times as long.
    names = ("type", "subject_id", "key_id", "request_id")
    texts = ",".join(
        f'"{name}":{"null" if row[name] is None else encode_basestring(row[name])}' for name in names
    )
    return (
        f'{{"sequence":{row["sequence"]},"created_at":"{show_time(row["time"])}",{texts},'
        f'"version":{row["version"] or "null"},'
        f'"before":{row["before"] or "null"},"after":{row["after"] or "null"}}}'
    )


def serialize_page(rows: Iterable[db.Row], cursor: str | None) -> str:
    """``{"changes": [Change], "next_cursor": cursor}``."""
    changes = ",".join(serialize_change(row) for row in rows)
    return f'{{"changes":[{changes}],"next_cursor":{json.dumps(cursor)}}}'
