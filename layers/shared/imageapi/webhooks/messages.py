"""The messages of deliveries: changes, never the bytes of an image or a secret."""

from datetime import UTC, datetime
from typing import Any

from imageapi.changes.serialize import serialize_change
from imageapi.database import db
from imageapi.model.ids import microseconds_at
from imageapi.model.times import show_time


def change_message(row: db.Row) -> dict[str, Any]:
    """The message of a change: ``{"id", "type", "sequence", "body"}``; ``body`` is the text to send.

    The id is the same at each attempt. It includes the time to stay unique after a restore of the database,
    which resets the sequence.
    """
    message_id = f"chg_{row['sequence']}_{microseconds_at(row['time'])}"
    return _message(message_id, row, row["sequence"])


def test_message(webhook: db.Row) -> dict[str, Any]:
    """The message of POST …/test: a change of the webhook itself that is not in the feed. Its body has the
    sequence of the last accepted or skipped change; ``sequence`` is None.
    """
    message_id = f"test_{webhook['id']}_{webhook['lease_token']}"
    row = {
        **dict.fromkeys(("key_id", "request_id", "before", "after")),
        **{name: webhook[name] for name in ("sequence", "version")},
        "time": datetime.now(UTC),
        "type": "webhook.test",
        "subject_id": webhook["id"],
    }
    return _message(message_id, row, None)


def _message(message_id: str, change: db.Row, sequence: int | None) -> dict[str, Any]:
    kind, timestamp = change["type"], show_time(change["time"])
    body = f'{{"type":"{kind}","timestamp":"{timestamp}","data":{serialize_change(change)}}}'
    return {"id": message_id, "type": kind, "sequence": sequence, "body": body}
