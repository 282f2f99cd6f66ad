"""List the images in the trash."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from imageapi.catalog import trash
from imageapi.errors import InvalidCursorError
from imageapi.images.serialize import serialize_trashed
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.model.ids import EPOCH, is_id, microseconds_at
from imageapi.model.parameters import check_known, parse_limit, single
from imageapi.search.list_parameters import DEFAULT_LIMIT, MAX_LIMIT

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
    return encode_values([microseconds_at(row["trashed_at"]), row["id"]], _FILTERS)


def _parse_cursor(text: str) -> tuple[datetime, str]:
    try:
        microseconds, image_id = decode_values(text, _FILTERS)
        if type(microseconds) is int and is_id(image_id):
            return EPOCH + timedelta(microseconds=microseconds), image_id
    except (ValueError, TypeError, OverflowError):
        pass
    raise InvalidCursorError()
