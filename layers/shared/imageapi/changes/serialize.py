"""Changes as JSON text. Parsing ``before`` and ``after`` to write them again would take the most time."""

import json
from collections.abc import Iterable

from imageapi.database import db


def serialize_change(row: db.Row) -> str:
    """A row of ``catalog.changes`` as the API shows it: ``{"sequence", "time", "type", "image_id", "version",
    "key_id", "request_id", "before", "after"}``.
    """
    known = {
        "sequence": row["sequence"],
        "time": row["time"].isoformat(),
        **{name: row[name] for name in ("type", "image_id", "version", "key_id", "request_id")},
    }
    start = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    return f'{start[:-1]},"before":{row["before"] or "null"},"after":{row["after"] or "null"}}}'


def serialize_page(rows: Iterable[db.Row], name: str, cursor: str | None) -> str:
    """``{"changes": [Change], name: cursor}``."""
    changes = ",".join(serialize_change(row) for row in rows)
    return f'{{"changes":[{changes}],"{name}":{json.dumps(cursor)}}}'
