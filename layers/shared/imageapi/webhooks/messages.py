"""What deliveries carry: changes, never a picture or a secret."""

import json
from datetime import UTC, datetime
from typing import Any

from imageapi.changes.serialize import serialize_change
from imageapi.database import db
from imageapi.model.ids import microseconds_at

TEST_TYPE = "webhook.test"


def change_message(row: db.Row) -> dict[str, Any]:
    """The message of a change: ``{"id", "type", "sequence", "body"}``; ``body`` is the text to send.

    The id is the same at each attempt. With the time in it, it is unique also after a restore of the
    database, whose sequence then goes back.
    """
    moment = row["time"]
    return {
        "id": f"chg_{row['sequence']}_{microseconds_at(moment)}",
        "type": row["type"],
        "sequence": row["sequence"],
        "body": _body(row["type"], moment.isoformat(), serialize_change(row)),
    }


def test_message(webhook: db.Row) -> dict[str, Any]:
    """The message of POST …/test; its ``sequence`` is None."""
    data = {"webhook_id": webhook["id"]}
    return {
        "id": f"test_{webhook['id']}_{webhook['lease_token']}",
        "type": TEST_TYPE,
        "sequence": None,
        "body": _body(TEST_TYPE, datetime.now(UTC).isoformat(), json.dumps(data)),
    }


def _body(kind: str, timestamp: str, data: str) -> str:
    """The JSON text of a message.

    Args:
        data: JSON text.
    """
    start = json.dumps({"type": kind, "timestamp": timestamp}, separators=(",", ":"))
    return f'{start[:-1]},"data":{data}}}'
