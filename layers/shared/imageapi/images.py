"""Images that are ready: list them, show them as JSON, change what is said of them, delete them."""

import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from imageapi import db, links, rows, variants
from imageapi.config import get_settings
from imageapi.cursors import decode_cursor, encode_cursor
from imageapi.errors import InvalidRequestError, NotFoundError, PreconditionFailedError
from imageapi.metadata import validate_changes
from imageapi.rows import COLUMNS

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
LIST_PARAMETERS = frozenset({"limit", "cursor", "category"})


def list_images(parameters: Mapping[str, str], base_url: str) -> dict[str, Any]:
    """One page of the ready images, newest first.

    Args:
        parameters: the query string: ``limit`` (1 to 200, 50 when absent), ``cursor``, ``category`` (exact).
        base_url: the address in front of the links, without a slash at its end.

    Returns:
        ``{"images": [Image], "next_cursor": str | None}``.

    Raises:
        InvalidRequestError: ``parameter_unknown``, ``limit_invalid``, ``category_invalid``,
            ``cursor_invalid`` or ``cursor_mismatch``.
    """
    unknown = sorted(set(parameters) - LIST_PARAMETERS)
    if unknown:
        raise InvalidRequestError(
            f"The query parameter {unknown[0][:64]!r} is not known.",
            code="parameter_unknown",
            details={"known": sorted(LIST_PARAMETERS)},
        )
    limit = parse_limit(parameters.get("limit"))
    filters = _parse_filters(parameters)
    conditions, values = ["status = 'ready'"], dict(filters, limit=limit + 1)
    if "category" in filters:
        conditions.append("category = %(category)s")
    if parameters.get("cursor"):
        values["after"] = str(decode_cursor(parameters["cursor"], filters))
        conditions.append("id < %(after)s")
    found = db.query(
        f"""SELECT {COLUMNS} FROM image_metadata
            WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT %(limit)s""",
        values,
    )
    page = found[:limit]
    more = len(found) > limit
    return {
        "images": [present_image(row, base_url) for row in page],
        "next_cursor": encode_cursor(UUID(page[-1]["id"]), filters) if more else None,
    }


def parse_limit(text: str | None) -> int:
    """The page size out of a query string.

    Raises:
        InvalidRequestError: ``limit_invalid``.
    """
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise InvalidRequestError(
        f"limit must be a whole number from 1 to {MAX_LIMIT}.",
        code="limit_invalid",
        details={"max": MAX_LIMIT},
    )


def _parse_filters(parameters: Mapping[str, str]) -> dict[str, str]:
    filters = {}
    if "category" in parameters:
        category = parameters["category"]
        if "\0" in category or category != category.encode("utf-8", "ignore").decode():
            raise InvalidRequestError(
                "category has characters that no category has.", code="category_invalid"
            )
        filters["category"] = category
    return filters


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
        if_match: the If-Match header: the change is made only when the image still is what that ETag names.

    Raises:
        UnprocessableError: as for an upload's metadata.
        NotFoundError: ``image_not_found``.
        PreconditionFailedError: the image was changed meanwhile.
    """
    clean = validate_changes(changes)
    version = parse_if_match(if_match)
    if not clean:
        return _check_version(get_image(image_id), version)
    assignments = ", ".join(f"{column} = %({column})s" for column in clean)
    values = {key: list(value) if key == "tags" else value for key, value in clean.items()}
    changed = db.query(
        f"""UPDATE image_metadata SET {assignments}, version = version + 1, updated_at = now()
            WHERE id = %(id)s AND status = 'ready' AND version = coalesce(%(version)s, version)
            RETURNING {COLUMNS}""",
        {**values, "id": parse_id(image_id), "version": version},
    )
    if changed:
        return changed[0]
    get_image(image_id)
    raise _version_mismatch()


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
    try:
        return str(UUID(text if len(text) == 36 else ""))
    except ValueError:
        raise image_not_found() from None


def image_not_found() -> NotFoundError:
    """The error for an id that no ready image has."""
    return NotFoundError("There is no such image.", code="image_not_found")


def make_etag(row: Mapping[str, Any]) -> str:
    """The ETag of an image as JSON: its version, and how long the links in it last."""
    return f'"{row["version"]}.{links.expires_at(time.time(), get_settings().link_ttl)}"'


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this ETag (weak comparison, RFC 9110, 13.1.2)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or "*" in named


def parse_if_match(header: str | None) -> int | None:
    """The version that an If-Match header names; None when any will do.

    Raises:
        PreconditionFailedError: it names no version that any image can have.
    """
    if header is None or header.strip() == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"([0-9]{1,9})(?:\.[0-9]+)?"', header.strip())
    if not match:
        raise _version_mismatch()
    return int(match[1])


def _check_version(row: db.Row, version: int | None) -> db.Row:
    if version not in (None, row["version"]):
        raise _version_mismatch()
    return row


def _version_mismatch() -> PreconditionFailedError:
    return PreconditionFailedError("The image was changed meanwhile. Get it again, then try again.")


def present_image(row: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """A row as the API shows it, with fresh delivery links."""
    settings = get_settings()
    image_id = row["id"]

    def link(variant: str) -> str:
        path = links.sign_link(
            image_id, variant, now=time.time(), lifetime=settings.link_ttl, keys=settings.secret_keys
        )
        return base_url + path

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
        "urls": {name: link(variant) for name, variant in variants.LINKED.items()},
    }


def count_ready() -> int:
    """How many images are ready, exactly."""
    return int(db.query("SELECT count(*) AS n FROM image_metadata WHERE status = 'ready'")[0]["n"])
