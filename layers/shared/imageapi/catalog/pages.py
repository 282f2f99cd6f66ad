"""Pages of a table, newest first: ids are in the order of time."""

from collections.abc import Callable
from typing import Any

from imageapi.database import db
from imageapi.errors import InvalidCursorError
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.model.ids import LAST_ID, is_id


def list_newest(
    table: str, columns: str, serialize: Callable[[db.Row], Any], name: str, limit: int, cursor: str | None
) -> dict[str, Any]:
    """``{name: [serialized rows], "next_cursor": str | None}``, at most ``limit`` rows.

    Raises:
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
    """
    filters = {"list": name}
    before = _parse_cursor(cursor, filters) if cursor else LAST_ID
    sql = f"SELECT {columns} FROM {table} WHERE id < %s ORDER BY id DESC LIMIT %s"
    rows = db.query(sql, (before, limit + 1))
    following = encode_values([rows[limit - 1]["id"]], filters) if len(rows) > limit else None
    return {name: [serialize(row) for row in rows[:limit]], "next_cursor": following}


def _parse_cursor(cursor: str, filters: dict[str, str]) -> str:
    match decode_values(cursor, filters):
        case [str(last)] if is_id(last):
            return last
    raise InvalidCursorError()
