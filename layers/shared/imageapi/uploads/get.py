"""Read an upload and serialize it."""

from typing import Any

from imageapi.catalog import images, uploads
from imageapi.database import db
from imageapi.errors import NotFoundError
from imageapi.model.ids import is_id
from imageapi.model.times import show_time
from imageapi.uploads.create_image import Stored


def find_upload(upload_id: str, announcer: str | None = None) -> db.Row | Stored:
    """The row of a pending or failed upload, or the image that it has become.

    Args:
        announcer: the id of the API key that must have registered the upload; None for any. An upload that is
            an image ignores it.

    Raises:
        NotFoundError: ``upload_not_found``.
    """
    found = _find(upload_id.lower(), announcer) if is_id(upload_id) else None
    if not found:
        raise NotFoundError("No upload has this id.", code="upload_not_found")
    return found


def _find(upload_id: str, announcer: str | None) -> db.Row | Stored | None:
    # Uploads first, then images, as rows move.
    if upload := uploads.find(upload_id):
        return upload if announcer in (None, upload["key_id"]) else None
    image = images.find(upload_id)
    return Stored(image, created=False) if image else None


def serialize_upload(found: db.Row | Stored, base_url: str) -> dict[str, Any]:
    """Upload in openapi.json, without the form for its file."""
    if isinstance(found, Stored):
        row, status, failure = found.row, "ready", None
    elif failure := found["failure"]:
        row, status = found, "failed"
    else:
        row, status = found, "processing" if found["attempts"] else "waiting"
    return {
        "id": row["id"],
        "status": status,
        "failure": failure,
        "form": None,
        "complete_url": f"{base_url}/api/uploads/{row['id']}/complete",
        "image_url": f"{base_url}/api/images/{row['id']}" if status == "ready" else None,
        "created_at": show_time(row["created_at"]),
    }
