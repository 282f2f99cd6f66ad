"""List images."""

from collections.abc import Mapping
from typing import Any

from imageapi.images.serialize import LinkOptions, serialize_image
from imageapi.search import counts, find_page
from imageapi.search.cursors import decode_cursor, encode_cursor
from imageapi.search.list_parameters import make_query


def list_images(parameters: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """One page of images.

    Args:
        parameters: as ``model.parameters.parse_query`` returns them.
        base_url: prefix of the links, without a trailing slash.

    Returns:
        ``{"images": [Image], "next_cursor": str | None, "total"?: {"value", "relation"}}``. The work of a
        request is bounded, so a page can be shorter than its limit although a next page exists.

    Raises:
        InvalidRequestError: a parameter or the cursor (``cursor_invalid``, ``cursor_mismatch``) is invalid.
        UnprocessableError: ``too_many_to_sort``.
    """
    query, cursor = make_query(parameters), parameters["cursor"]
    position = decode_cursor(cursor, query.filters) if cursor else None
    rows, next_position = find_page.find_page(query, position)
    options = LinkOptions.of(parameters)
    page: dict[str, Any] = {
        "images": [serialize_image(row, base_url, options) for row in rows],
        "next_cursor": encode_cursor(next_position, query.filters) if next_position else None,
    }
    if query.total:
        page["total"] = counts.count_images(query)
    return page
