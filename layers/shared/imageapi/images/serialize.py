"""Images as the API shows them: JSON values with fresh delivery links."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from imageapi.catalog import analyses
from imageapi.config.settings import get_settings
from imageapi.delivery import links
from imageapi.images.etag import make_etag
from imageapi.model.metadata import FIELDS
from imageapi.model.variant_names import LINKED

_COLUMNS = (
    *("id", *FIELDS, "filename", "s3_key", "mime_type", "size_bytes", "width", "height", "frames"),
    *("sha256", "duplicate_of", "placeholder", "exif"),
)


def serialize_detail(
    row: Mapping[str, Any], base_url: str, variant_names: Sequence[str] = (), *, permanent: bool = False
) -> tuple[dict[str, Any], str]:
    """An image with its analysis, if one was ever requested, and its ETag; arguments as
    :func:`serialize_image`.
    """
    found = analyses.find(row["id"])
    analysis = serialize_analysis(found) if found else None
    shown = {"analysis": analysis} if analysis else {}
    image = serialize_image(row, base_url, variant_names, permanent=permanent)
    return {**image, **shown}, make_etag(row, analysis, permanent=permanent)


def serialize_image(
    row: Mapping[str, Any], base_url: str, variant_names: Sequence[str] = (), *, permanent: bool = False
) -> dict[str, Any]:
    """A row as the API shows it, with delivery links.

    Args:
        variant_names: variants to add to ``urls``.
        permanent: links that last until they are revoked, not fresh ones that expire.
    """
    return _serialize_columns(row) | {"urls": _sign_links(row, base_url, variant_names, permanent=permanent)}


def serialize_trashed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the trash: an image without links, and when it was trashed and will be deleted."""
    times = {name: row[name].isoformat() for name in ("trashed_at", "purge_after")}
    return _serialize_columns(row) | {"urls": {}} | times


def _sign_links(
    row: Mapping[str, Any], base_url: str, variant_names: Sequence[str], *, permanent: bool
) -> dict[str, str]:
    settings = get_settings()
    image_id, is_animated = row["id"], row["frames"] > 1
    if permanent:
        validity = links.Validity(version=row["link_version"])
    else:
        validity = links.Validity(expires=links.expires_at(time.time(), settings.link_ttl))
    return {
        name: base_url
        + links.sign_link(image_id, variant, validity, keys=settings.secret_keys, is_animated=is_animated)
        for name, variant in [*LINKED.items(), *((name, name) for name in variant_names)]
    }


def _serialize_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _COLUMNS},
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }


def serialize_analysis(row: Mapping[str, Any]) -> dict[str, Any]:
    """``{"status": "queued" | "running" | "ready" | "failed", "failure": code | null, "caption", "tags",
    "text_seen", "safety", "model", "analyzed_at"}``; values not known yet are empty or null.
    """
    analyzed_at = row["analyzed_at"]
    columns = ("status", "failure", "caption", "tags", "text_seen", "safety", "model")
    shown = {name: row[name] for name in columns}
    return {**shown, "analyzed_at": analyzed_at.isoformat() if analyzed_at else None}
