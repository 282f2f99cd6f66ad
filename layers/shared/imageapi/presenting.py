"""Images as the API shows them: JSON values with fresh delivery links."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from imageapi import links, variants
from imageapi.catalog import analyses
from imageapi.config import get_settings
from imageapi.etags import make_etag


def show_image(
    row: Mapping[str, Any], base_url: str, further: Sequence[str] = ()
) -> tuple[dict[str, Any], str]:
    """An image with its analysis, if one was ever asked for, and its ETag.

    Args:
        further: names of further renditions to have links for in ``urls``.
    """
    found = analyses.find(row["id"])
    analysis = present_analysis(found) if found else None
    shown = {"analysis": analysis} if analysis else {}
    return {**present_image(row, base_url, further), **shown}, make_etag(row, analysis)


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


def present_analysis(row: Mapping[str, Any]) -> dict[str, Any]:
    """``{"status": "queued" | "running" | "ready" | "failed", "failure": code | null, "caption", "tags",
    "text_seen", "safety", "model", "analyzed_at"}``; what is not known yet is empty or null.
    """
    analyzed_at = row["analyzed_at"]
    return {
        "status": row["status"],
        "failure": row["failure"],
        "caption": row["caption"],
        "tags": row["tags"],
        "text_seen": row["text_seen"],
        "safety": row["safety"],
        "model": row["model"],
        "analyzed_at": analyzed_at.isoformat() if analyzed_at else None,
    }
