"""Read and change many images in one statement each: the tables ``image_metadata`` and ``batches``."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg2.extras

from imageapi.catalog.analyses import join_text
from imageapi.database import db
from imageapi.model.metadata import FIELDS

_ROW_VERSION = "image.xmin::text"
"""Differs after every change of the row, also by an analysis."""


def find_images(image_ids: Collection[str], cursor: db.Cursor | None = None) -> dict[str, db.Row]:
    """Read the metadata, ``filename``, ``mime_type``, ``width``, ``height``, ``analysis_text`` of images by
    id, and the ``row_version`` that :func:`update_images` requires.

    Args:
        cursor: the transaction that locks the images; without one, they are not locked.
    """
    rows = db.query(
        f"""SELECT image.id, {_ROW_VERSION} AS row_version, {", ".join(f"image.{name}" for name in FIELDS)},
                   image.filename, image.mime_type, image.width, image.height,
                   analysis.caption AS analysis_caption, analysis.tags AS analysis_tags,
                   analysis.text_seen AS analysis_text_seen
            FROM image_metadata AS image LEFT JOIN image_analysis AS analysis ON analysis.image_id = image.id
            WHERE image.id = ANY(%s::uuid[]) ORDER BY image.id
            {"FOR NO KEY UPDATE OF image" if cursor else ""}""",
        (list(image_ids),),
        cursor,
    )
    for row in rows:
        parts = (row.pop(f"analysis_{name}") for name in ("caption", "tags", "text_seen"))
        row["analysis_text"] = join_text(*parts)
    return {row["id"]: row for row in rows}


def update_images(
    changes: Sequence[Mapping[str, Any]],
    key: str | None = None,
    result: Mapping[str, Any] | None = None,
    cursor: db.Cursor | None = None,
) -> set[str]:
    """Change columns of images that have not changed since they were read. Each gets a new version.

    Args:
        changes: ``id``, ``row_version`` and the same columns for each image.
        key: record ``result`` for each changed image; skip images that have a result.

    Returns:
        The ids of the changed images.
    """
    columns = [name for name in changes[0] if name not in ("id", "row_version")]
    rows = db.query_as_actor(
        f"""SELECT FROM batches WHERE key = %(key)s FOR UPDATE;
            WITH changed AS (
                UPDATE image_metadata AS image
                SET {", ".join(f"{name} = new.{name}" for name in columns)},
                    version = image.version + 1, updated_at = now()
                FROM json_populate_recordset(NULL::image_metadata, %(rows)s) AS new
                JOIN unnest(%(ids)s::uuid[], %(row_versions)s) AS read (id, row_version) USING (id)
                WHERE image.id = new.id AND {_ROW_VERSION} = read.row_version
                  AND NOT EXISTS (SELECT FROM batches WHERE key = %(key)s AND results ? image.id::text)
                RETURNING image.id),
            noted AS (
                UPDATE batches SET results = batches.results || noted.results
                FROM (SELECT jsonb_object_agg(id, %(result)s::jsonb) AS results FROM changed) AS noted
                WHERE key = %(key)s AND noted.results IS NOT NULL)
            SELECT id FROM changed""",
        {
            "key": key,
            "rows": psycopg2.extras.Json([{name: new[name] for name in ("id", *columns)} for new in changes]),
            "ids": [new["id"] for new in changes],
            "row_versions": [new["row_version"] for new in changes],
            "result": psycopg2.extras.Json(result),
        },
        cursor,
    )
    return {row["id"] for row in rows}
