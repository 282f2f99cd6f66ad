"""Images: list them, change their metadata, delete them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from imageapi import db, storage
from imageapi.catalog import analyses, deletions, images
from imageapi.errors import ImageNotFoundError, PreconditionFailedError
from imageapi.etags import parse_if_match
from imageapi.ids import parse_id
from imageapi.metadata import validate_changes
from imageapi.presenting import present_image
from imageapi.search import pages, totals
from imageapi.search.cursors import decode_cursor, encode_cursor
from imageapi.search.query import parse_list_query
from imageapi.search.tokens import index_values


class ListPage(NamedTuple):
    """What a list request is answered with."""

    value: dict[str, Any]
    headers: dict[str, str]


def list_images(parameters: Mapping[str, Sequence[str]], list_url: str, base_url: str) -> ListPage:
    """One page of the images.

    Args:
        parameters: the query string: every name with all its values (see ``search.query``).
        list_url: the address of the list itself, for the link to the next page.
        base_url: the address in front of the delivery links, without a slash at its end.

    Returns:
        The JSON value ``{"images": [Image], "next_cursor": str | None, "total"?: {"value", "relation"}}``,
        and the headers (``Link`` when there is a next page). A page may be shorter than its limit and still
        have a next one: each request does a bounded amount of work.

    Raises:
        InvalidRequestError: a parameter is refused, or the cursor (``cursor_invalid``, ``cursor_mismatch``).
        UnprocessableError: ``too_many_to_sort``.
    """
    query = parse_list_query(parameters)
    text = parameters["cursor"][0] if parameters.get("cursor") else None
    position = decode_cursor(text, query.filters) if text else None
    page = pages.find_page(query, position)
    cursor = encode_cursor(page.next_position, query.filters) if page.next_position else None
    value: dict[str, Any] = {
        "images": [present_image(row, base_url, query.further) for row in page.rows],
        "next_cursor": cursor,
    }
    if query.total:
        value["total"] = totals.count_images(query)
    headers = {}
    if cursor:
        following = urlencode({**parameters, "cursor": [cursor]}, doseq=True)
        headers["Link"] = f'<{list_url}?{following}>; rel="next"'
    return ListPage(value, headers)


def get_image(image_id: str) -> db.Row:
    """The row of an image.

    Raises:
        NotFoundError: ``image_not_found``.
    """
    row = images.find(parse_id(image_id))
    if row is None:
        raise ImageNotFoundError()
    return row


def update_image(image_id: str, changes: Mapping[str, Any], if_match: str | None) -> db.Row:
    """Change some of the metadata.

    Args:
        changes: any of ``title``, ``description``, ``category``, ``tags``; the others stay.
        if_match: the If-Match header: the change is made only when the image still is what one of its ETags
            names.

    Raises:
        UnprocessableError: as for an upload's metadata.
        NotFoundError: ``image_not_found``.
        PreconditionFailedError: the image was changed meanwhile.
    """
    clean = validate_changes(changes)
    versions = parse_if_match(if_match)
    if not clean:
        return _check_version(get_image(image_id), versions)
    if "tags" in clean:
        clean["tags"] = list(clean["tags"])
    changed = db.transaction(lambda cursor: _update(cursor, parse_id(image_id), clean, versions))
    if changed:
        return changed
    get_image(image_id)
    raise PreconditionFailedError()


def delete_image(image_id: str, if_match: str | None) -> None:
    """Delete an image: first its row turns into a deletion, then its objects go, then the deletion.

    A crash after the first step leaves a deletion, which the same request or a sweep finishes.

    Raises:
        NotFoundError: ``image_not_found``.
        PreconditionFailedError: the image was changed meanwhile.
        DatabaseUnavailableError, StorageUnavailableError: gone, but for some objects; send it again.
    """
    image_id, versions = parse_id(image_id), parse_if_match(if_match)
    deletion = deletions.begin(image_id, versions)
    if not deletion:
        get_image(image_id)
        raise PreconditionFailedError()
    finish_deletion(deletion)


def finish_deletion(deletion: db.Row) -> None:
    """Remove the objects of an image whose row is gone, then its deletion."""
    image_id = deletion["image_id"]
    keys = [deletion["s3_key"], storage.incoming_key(image_id)]
    keys += [storage.variant_key(image_id, name) for name in deletion["variants"]]
    storage.delete_objects(keys)
    deletions.finish(image_id)


def _update(
    cursor: db.Cursor, image_id: str, changes: Mapping[str, Any], versions: list[int] | None
) -> db.Row | None:
    """Change an image, and what it is found by. None when no image has this id and one of these versions."""
    image = images.lock(cursor, image_id, versions)
    if not image:
        return None
    text = analyses.find_text(cursor, image_id)
    values = {**changes, **index_values({**image, **changes, "analysis_text": text})}
    return images.update(cursor, image_id, values, new_version=True)


def _check_version(row: db.Row, versions: list[int] | None) -> db.Row:
    if versions is not None and row["version"] not in versions:
        raise PreconditionFailedError()
    return row
