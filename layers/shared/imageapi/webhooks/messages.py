"""What deliveries carry: changes, never a picture or a secret."""

import json
from datetime import UTC, datetime
from typing import Any

from imageapi.database import db

TEST_TYPE = "webhook.test"


def change_message(row: db.Row) -> dict[str, Any]:
    """The message of a change: ``{"id", "type", "sequence", "body"}``; ``body`` is the text to send.

    The id is the same at each attempt. With the time in it, it is unique also after a restore of the
    database, whose sequence then goes back.
    """
    moment = row["time"]
    microseconds = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    change = serialize_change(row)
    return {
        "id": f"chg_{row['sequence']}_{microseconds}",
        "type": row["type"],
        "sequence": row["sequence"],
        "body": _body(row["type"], change["time"], change),
    }


def test_message(webhook: db.Row) -> dict[str, Any]:
    """The message of POST …/test; its ``sequence`` is None."""
    data = {"webhook_id": webhook["id"]}
    return {
        "id": f"test_{webhook['id']}_{webhook['lease_token']}",
        "type": TEST_TYPE,
        "sequence": None,
        "body": _body(TEST_TYPE, datetime.now(UTC).isoformat(), data),
    }


def serialize_change(row: db.Row) -> dict[str, Any]:
    """A Change, as GET /api/changes returns it."""
    names = ("type", "image_id", "version", "key_id", "request_id", "before", "after")
    return {
        "sequence": row["sequence"],
        "time": row["time"].isoformat(),
        **{name: row[name] for name in names},
    }


def _body(kind: str, timestamp: str, data: dict[str, Any]) -> str:
    content = {"type": kind, "timestamp": timestamp, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
