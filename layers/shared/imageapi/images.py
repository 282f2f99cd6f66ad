"""Images as rows and as JSON: list them, find them, show them. What changes an image is in ``uploads``."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from imageapi import db, links
from imageapi.config import get_settings
from imageapi.cursors import decode_cursor, encode_cursor
from imageapi.errors import InvalidRequestError

COLUMNS = (
    "id, status, version, title, description, category, tags, filename, s3_key, mime_type, size_bytes,"
    " width, height, frames, encode(sha256, 'hex') AS sha256, duplicate_of, placeholder, exif, created_at, updated_at"
)
"""The columns of a row as :func:`present_image` wants it."""

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
    rows = db.query(
        f"""SELECT {COLUMNS} FROM image_metadata
            WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT %(limit)s""",
        values,
    )
    page = rows[:limit]
    more = len(rows) > limit
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
        "urls": {"original": link("original"), "thumbnail": link(links.THUMBNAIL)},
    }


def count_ready() -> int:
    """How many images are ready, exactly."""
    return int(db.query("SELECT count(*) AS n FROM image_metadata WHERE status = 'ready'")[0]["n"])
