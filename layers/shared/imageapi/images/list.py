"""List images: a page as JSON values, with a link to the next page."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from imageapi.images.list_trash import list_trash
from imageapi.images.serialize import serialize_image
from imageapi.model.parameters import parse_flag
from imageapi.search import counts, find_page
from imageapi.search.cursors import decode_cursor, encode_cursor
from imageapi.search.list_parameters import parse_list_parameters


def list_images(
    parameters: Mapping[str, Sequence[str]], list_url: str, base_url: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """One page of images, or with ``trashed=true`` of those in the trash.

    Args:
        parameters: the query parameters, each with all its values (see ``search.list_parameters``).
        list_url: URL of the list itself, for the link to the next page.
        base_url: prefix of the delivery links, without a trailing slash.

    Returns:
        ``{"images": [Image], "next_cursor": str | None, "total"?: {"value", "relation"}}``, and the headers
        (``Link`` when there is a next page). A page may be shorter than its limit and still have a next one:
        each request does a bounded amount of work.

    Raises:
        InvalidRequestError: a parameter or the cursor (``cursor_invalid``, ``cursor_mismatch``) is refused.
        UnprocessableError: ``too_many_to_sort``.
    """
    if "trashed" in parameters and parse_flag("trashed", parameters["trashed"][0]):
        value, cursor = list_trash(parameters)
        return value, _link_to_next(parameters, list_url, cursor)
    query = parse_list_parameters(parameters)
    text = parameters["cursor"][0] if parameters.get("cursor") else None
    position = decode_cursor(text, query.filters) if text else None
    rows, next_position = find_page.find_page(query, position)
    cursor = encode_cursor(next_position, query.filters) if next_position else None
    value = {
        "images": [
            serialize_image(row, base_url, query.variants, permanent=query.permanent_links) for row in rows
        ],
        "next_cursor": cursor,
    }
    if query.total:
        value["total"] = counts.count_images(query)
    return value, _link_to_next(parameters, list_url, cursor)


def _link_to_next(
    parameters: Mapping[str, Sequence[str]], list_url: str, cursor: str | None
) -> dict[str, str]:
    """The header ``Link``, if there is a next page."""
    if not cursor:
        return {}
    following = urlencode({**parameters, "cursor": [cursor]}, doseq=True)
    return {"Link": f'<{list_url}?{following}>; rel="next"'}
