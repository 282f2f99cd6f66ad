"""What the analysis of an image has said: the table ``image_analysis``, read.

Light enough for every function: it imports neither Pillow nor google-genai.
"""

from collections.abc import Mapping
from typing import Any

from imageapi import db


def find_analysis(image_id: str) -> dict[str, Any] | None:
    """An image's analysis as the API shows it (see :func:`present`); None when none was ever asked for."""
    found = db.query("SELECT * FROM image_analysis WHERE image_id = %s", (image_id,))
    return present(found[0]) if found else None


def present(row: Mapping[str, Any]) -> dict[str, Any]:
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


def find_text(cursor: db.Cursor, image_id: str) -> str:
    """The text of an analysis that a search looks through: caption, tags and text seen; empty without an
    analysis. In the caller's transaction.
    """
    found = db.fetch(
        cursor, "SELECT caption, tags, text_seen FROM image_analysis WHERE image_id = %s", (image_id,)
    )
    return join_text(found[0]) if found else ""


def join_text(row: Mapping[str, Any]) -> str:
    """See :func:`find_text`."""
    return " ".join(part for part in (row["caption"], *row["tags"], row["text_seen"]) if part)
