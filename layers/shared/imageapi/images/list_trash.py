"""List the images in the trash."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from imageapi.catalog import trash
from imageapi.errors import InvalidCursorError
from imageapi.images.serialize import serialize_trashed
from imageapi.model.ids import EPOCH, microseconds_at
from imageapi.model.parameters import check_known, parse_limit, single
from imageapi.search.cursors import Position, decode_cursor, encode_cursor
from imageapi.search.list_parameters import DEFAULT_LIMIT, MAX_CURSOR_LENGTH, MAX_LIMIT

PARAMETERS = {"trashed", "limit", "cursor"}
_FILTERS = {"trashed": True}
"""To what its cursors are bound."""


def list_trash(parameters: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], str | None]:
    """One page of images in the trash, those first that were trashed last.

    Returns:
        ``{"images": [Image with "trashed_at" and "purge_after"], "next_cursor": str | None}``, and the
        cursor.

    Raises:
        InvalidRequestError: as :func:`imageapi.images.list.list_images`.
    """
    check_known(parameters, PARAMETERS)
    one = single(parameters)
    limit = parse_limit(one.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    rows = trash.find_page(limit + 1, _parse_cursor(one["cursor"]) if one.get("cursor") else None)
    cursor = _make_cursor(rows[limit - 1]) if len(rows) > limit else None
    return {"images": [serialize_trashed(row) for row in rows[:limit]], "next_cursor": cursor}, cursor


def _make_cursor(row: Mapping[str, Any]) -> str:
    return encode_cursor(Position(0, microseconds_at(row["trashed_at"]), UUID(row["id"])), _FILTERS)


def _parse_cursor(text: str) -> tuple[datetime, str]:
    if len(text) > MAX_CURSOR_LENGTH:
        raise InvalidCursorError()
    position = decode_cursor(text, _FILTERS)
    try:
        if type(position.key) is int:
            return EPOCH + timedelta(microseconds=position.key), str(position.id)
    except OverflowError:
        pass
    raise InvalidCursorError()
