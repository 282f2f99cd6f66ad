"""Changes as JSON text. Parsing ``before`` and ``after`` to write them again would take the most time."""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring

from imageapi.database import db


def serialize_change(row: db.Row) -> str:
    """A row of ``catalog.changes`` as the API shows it: ``{"sequence", "time", "type", "subject_id",
    "version", "key_id", "request_id", "before", "after"}``.
    """
    # By hand: a page has hundreds, and json.dumps() takes three times as long.
    names = ("type", "subject_id", "key_id", "request_id")
    texts = ",".join(
        f'"{name}":{"null" if row[name] is None else encode_basestring(row[name])}' for name in names
    )
    return (
        f'{{"sequence":{row["sequence"]},"time":"{row["time"].isoformat()}",{texts},'
        f'"version":{row["version"] or "null"},'
        f'"before":{row["before"] or "null"},"after":{row["after"] or "null"}}}'
    )


def serialize_page(rows: Iterable[db.Row], name: str, cursor: str | None) -> str:
    """``{"changes": [Change], name: cursor}``."""
    changes = ",".join(serialize_change(row) for row in rows)
    return f'{{"changes":[{changes}],"{name}":{json.dumps(cursor)}}}'
