"""Images that are ready: list them, show them as JSON, change what is said of them, delete them."""

import re
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from imageapi import db, links, pages, rows, variants
from imageapi.analysis_queue import find_analysis, find_text
from imageapi.config import get_settings
from imageapi.cursors import decode_cursor, encode_cursor
from imageapi.errors import NotFoundError, PreconditionFailedError
from imageapi.listing import parse_list_query
from imageapi.metadata import validate_changes
from imageapi.rows import COLUMNS

ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:\.[0-9]+(?:-[0-9a-f]+)?)?"')
"""What :func:`make_etag` makes, weak or not; the version alone will do."""


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
        "images": [present_image(row, base_url) for row in page.rows],
        "next_cursor": cursor,
    }
    if query.total:
        value["total"] = pages.count_images(query)
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
        raise image_not_found()
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
    changed = db.transaction(lambda cursor: _change(cursor, parse_id(image_id), clean, versions))
    if changed:
        return changed[0]
    get_image(image_id)
    raise _version_mismatch()


def _change(
    cursor: db.Cursor, image_id: str, clean: dict[str, Any], versions: list[int] | None
) -> list[db.Row]:
    """Change the row, and what it is found by, which depends on the fields that stay as well."""
    found = db.fetch(
        cursor,
        f"""SELECT {COLUMNS} FROM image_metadata
            WHERE id = %s AND status = 'ready' AND version = ANY(coalesce(%s, ARRAY[version])) FOR UPDATE""",
        (image_id, versions),
    )
    if not found:
        return []
    values = {key: list(value) if key == "tags" else value for key, value in clean.items()}
    values |= rows.search_values({**found[0], **values, "analysis_text": find_text(cursor, image_id)})
    assignments = ", ".join(f"{column} = %({column})s" for column in values)
    return db.fetch(
        cursor,
        f"""UPDATE image_metadata SET {assignments}, version = version + 1, updated_at = now()
            WHERE id = %(id)s RETURNING {COLUMNS}""",
        {**values, "id": image_id},
    )


def refresh_search(image_id: str) -> None:
    """Let an image be found by what its analysis says as well. Its version stays: its owner has changed
    nothing.
    """

    def refresh(cursor: db.Cursor) -> None:
        found = db.fetch(
            cursor, f"SELECT {COLUMNS} FROM image_metadata WHERE id = %s FOR UPDATE", (image_id,)
        )
        if found:
            values = rows.search_values({**found[0], "analysis_text": find_text(cursor, image_id)})
            assignments = ", ".join(f"{column} = %({column})s" for column in values)
            db.fetch(
                cursor,
                f"UPDATE image_metadata SET {assignments} WHERE id = %(id)s",
                {**values, "id": image_id},
            )

    db.transaction(refresh)


def delete_image(image_id: str, if_match: str | None) -> None:
    """Delete an image, its object and its renditions. A deletion that was cut off is taken up again.

    Raises:
        NotFoundError: ``image_not_found``.
        PreconditionFailedError: the image was changed meanwhile.
        DatabaseUnavailableError, StorageUnavailableError: hidden, but not all is gone; send it again.
    """
    if not rows.remove(parse_id(image_id), ["ready", "deleting"], parse_if_match(if_match)):
        get_image(image_id)
        raise _version_mismatch()


def parse_id(text: str) -> str:
    """An id out of a path, in its one canonical spelling.

    Raises:
        NotFoundError: no image has such an id.
    """
    if not rows.ID.fullmatch(text):
        raise image_not_found()
    return text.lower()


def image_not_found() -> NotFoundError:
    """The error for an id that no ready image has."""
    return NotFoundError("There is no such image.", code="image_not_found")


def show_image(
    row: Mapping[str, Any], base_url: str, further: Sequence[str] = ()
) -> tuple[dict[str, Any], str]:
    """An image with its analysis, if one was ever asked for (see ``analysis_queue.present``), and its ETag.

    Args:
        further: names of further renditions to have links for in ``urls``.
    """
    analysis = find_analysis(row["id"])
    shown = {"analysis": analysis} if analysis else {}
    return {**present_image(row, base_url, further), **shown}, make_etag(row, analysis)


def make_etag(row: Mapping[str, Any], analysis: Mapping[str, Any] | None = None) -> str:
    """The ETag of an image as JSON: its version, how long the links in it last, and what changes without a
    new version: how far its analysis is, and whether the image is there that it is a duplicate of.
    """
    expires = links.expires_at(time.time(), get_settings().link_ttl)
    others = [row["duplicate_of"], *((analysis["status"], analysis["analyzed_at"]) if analysis else ())]
    if not any(others):
        return f'"{row["version"]}.{expires}"'
    state = zlib.crc32(" ".join(map(str, others)).encode())
    return f'"{row["version"]}.{expires}-{state:x}"'


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this ETag (weak comparison, RFC 9110, 13.1.2)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or "*" in named


def parse_if_match(header: str | None) -> list[int] | None:
    """The versions that an If-Match header names; None when any will do.

    Raises:
        PreconditionFailedError: it names no version that any image can have.
    """
    if header is None or header.strip() == "*":
        return None
    # No ETag of an image has a comma in it.
    versions = [int(match[1]) for part in header.split(",") if (match := ETAG.fullmatch(part.strip()))]
    if not versions:
        raise _version_mismatch()
    return versions


def _check_version(row: db.Row, versions: list[int] | None) -> db.Row:
    if versions is not None and row["version"] not in versions:
        raise _version_mismatch()
    return row


def _version_mismatch() -> PreconditionFailedError:
    return PreconditionFailedError("The image was changed meanwhile. Get it again, then try again.")


def present_image(row: Mapping[str, Any], base_url: str, further: Sequence[str] = ()) -> dict[str, Any]:
    """A row as the API shows it, with fresh delivery links."""
    settings = get_settings()
    image_id = row["id"]
    expires = links.expires_at(time.time(), settings.link_ttl)
    urls = {
        name: base_url + links.sign_link(image_id, variant, expires=expires, keys=settings.secret_keys)
        for name, variant in [*variants.LINKED.items(), *((name, name) for name in further)]
    }
    return {
        "id": image_id,
        "title": row["title"],
        "description": row["description"],
        "category": row["category"],
        "tags": row["tags"],
        "filename": row["filename"],
        "s3_key": row["s3_key"],
        "mime_type": row["mime_type"],
        "size_bytes": row["size_bytes"],
        "width": row["width"],
        "height": row["height"],
        "frames": row["frames"],
        "sha256": row["sha256"],
        "duplicate_of": row["duplicate_of"],
        "placeholder": row["placeholder"],
        "exif": row["exif"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
        "urls": urls,
    }
