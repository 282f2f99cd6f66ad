"""Images that are ready: list them, change their metadata, delete them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from imageapi import db, pages, rows, totals
from imageapi.analyses import find_text
from imageapi.cursors import decode_cursor, encode_cursor
from imageapi.errors import ImageNotFoundError, PreconditionFailedError
from imageapi.etags import parse_if_match
from imageapi.listing import parse_list_query
from imageapi.metadata import validate_changes
from imageapi.presenting import present_image
from imageapi.rows import COLUMNS


class ListPage(NamedTuple):
    """What a list request is answered with."""

    value: dict[str, Any]
    headers: dict[str, str]


def list_images(parameters: Mapping[str, Sequence[str]], list_url: str, base_url: str) -> ListPage:
    """One page of the ready images.

    Args:
        parameters: the query string: every name with all its values (see ``listing``).
        list_url: the address of the list itself, for the link to the next page.
        base_url: the address in front of the delivery links, without a slash at its end.

    Returns:
        The JSON value ``{"images": [Image], "next_cursor": str | None, "total"?: {"value", "relation"}}``,
        and the headers (``Link`` when there is a next page). A page may be shorter than its limit and still
        have a next one: each request does a bounded amount of work.

    Raises:
        InvalidRequestError: a parameter is refused, or the cursor (``cursor_invalid``, ``cursor_mismatch``).
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
    """The row of a ready image.

    Raises:
        NotFoundError: ``image_not_found``.
    """
    row = rows.find(parse_id(image_id))
    if row is None or row["status"] != "ready":
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


def refresh_search(image_id: str) -> None:
    """Let an image be found by what its analysis says as well. Its version stays: its owner has changed
    nothing.
    """
    db.transaction(lambda cursor: _update(cursor, image_id, {}, None))


def delete_image(image_id: str, if_match: str | None) -> None:
    """Delete an image, its object and its renditions. A deletion that was cut off is taken up again.

    Raises:
        NotFoundError: ``image_not_found``.
        PreconditionFailedError: the image was changed meanwhile.
        DatabaseUnavailableError, StorageUnavailableError: hidden, but not all is gone; send it again.
    """
    if not rows.remove(parse_id(image_id), ["ready", "deleting"], parse_if_match(if_match)):
        get_image(image_id)
        raise PreconditionFailedError()


def parse_id(text: str) -> str:
    """An id out of a path, in its one canonical spelling.

    Raises:
        NotFoundError: no image has such an id.
    """
    if not rows.ID.fullmatch(text):
        raise ImageNotFoundError()
    return text.lower()


def _update(
    cursor: db.Cursor, image_id: str, changes: Mapping[str, Any], versions: list[int] | None
) -> db.Row | None:
    """Change columns of a ready image, and what it is found by, which depends on the other columns as well.
    Only where there are changes the image gets a new version.

    Returns:
        The row; None when no image has this id and one of these versions.
    """
    found = db.fetch(
        cursor,
        f"""SELECT {COLUMNS} FROM image_metadata
            WHERE id = %s AND status = 'ready' AND version = ANY(coalesce(%s, ARRAY[version])) FOR UPDATE""",
        (image_id, versions),
    )
    if not found:
        return None
    row = {**found[0], **changes, "analysis_text": find_text(cursor, image_id)}
    values = {**changes, **rows.search_values(row)}
    assignments = [f"{column} = %({column})s" for column in values]
    if changes:
        assignments += ["version = version + 1", "updated_at = now()"]
    return db.fetch(
        cursor,
        f"UPDATE image_metadata SET {', '.join(assignments)} WHERE id = %(id)s RETURNING {COLUMNS}",
        {**values, "id": image_id},
    )[0]


def _check_version(row: db.Row, versions: list[int] | None) -> db.Row:
    if versions is not None and row["version"] not in versions:
        raise PreconditionFailedError()
    return row
