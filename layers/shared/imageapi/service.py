"""The limits and enabled features of this deployment, for clients."""

from typing import Any

from imageapi.config.settings import MAX_DIRECT_FILE_BYTES, get_settings
from imageapi.model import image_formats, variant_names


def describe_service(version: str) -> dict[str, Any]:
    """Service in openapi.json. The caller passes that document's version."""
    settings = get_settings()
    return {
        "version": version,
        "limits": {
            "max_direct_bytes": MAX_DIRECT_FILE_BYTES,
            "max_upload_bytes": settings.max_upload_bytes,
            "max_pixels": settings.max_pixels,
        },
        "features": {"analysis": settings.analysis, "webhooks": settings.webhooks},
        "mime_types": image_formats.MIME_TYPES,
        "variant_widths": variant_names.WIDTHS,
        "trash_days": settings.trash_days,
        "changes_days": settings.changes_days,
    }
