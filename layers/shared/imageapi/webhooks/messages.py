"""What deliveries carry: changes, never a picture or a secret."""

import json
from datetime import UTC, datetime
from typing import Any

from imageapi.changes.serialize import serialize_change
from imageapi.database import db
from imageapi.model.ids import microseconds_at


def change_message(row: db.Row) -> dict[str, Any]:
    """The message of a change: ``{"id", "type", "sequence", "body"}``; ``body`` is the text to send.

    The id is the same at each attempt. With the time in it, it is unique also after a restore of the
    database, whose sequence then goes back.
    """
    message_id = f"chg_{row['sequence']}_{microseconds_at(row['time'])}"
    return _message(message_id, row["type"], row["sequence"], row["time"], serialize_change(row))


def test_message(webhook: db.Row) -> dict[str, Any]:
    """The message of POST …/test; its ``sequence`` is None."""
    message_id = f"test_{webhook['id']}_{webhook['lease_token']}"
    data = json.dumps({"webhook_id": webhook["id"]})
    return _message(message_id, "webhook.test", None, datetime.now(UTC), data)


def _message(message_id: str, kind: str, sequence: int | None, time: datetime, data: str) -> dict[str, Any]:
    """A message; ``data`` is JSON text."""
    start = json.dumps({"type": kind, "timestamp": time.isoformat()}, separators=(",", ":"))
    body = f'{start[:-1]},"data":{data}}}'
    return {"id": message_id, "type": kind, "sequence": sequence, "body": body}
