"""List the images in the trash."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from imageapi.catalog import trash
from imageapi.errors import InvalidCursorError
from imageapi.images.serialize import serialize_trashed
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.model.ids import EPOCH, is_id, microseconds_at

_FILTERS = {"list": "trash"}
"""The filters to which cursors are bound."""


def list_trash(limit: int, cursor: str | None) -> dict[str, Any]:
    """One page of the trash, last trashed first.

    Returns:
        ``{"images": [TrashedImage], "next_cursor": str | None}``.

    Raises:
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
    """
    rows = trash.find_page(limit + 1, _parse_cursor(cursor) if cursor else None)
    following = _make_cursor(rows[limit - 1]) if len(rows) > limit else None
    return {"images": [serialize_trashed(row) for row in rows[:limit]], "next_cursor": following}


def _make_cursor(row: Mapping[str, Any]) -> str:
    return encode_values([microseconds_at(row["trashed_at"]), row["id"]], _FILTERS)


def _parse_cursor(text: str) -> tuple[datetime, str]:
    microseconds, image_id = decode_values(text, _FILTERS, int, str)
    try:
        moment = EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise InvalidCursorError() from None
    if not is_id(image_id):
        raise InvalidCursorError()
    return moment, image_id
