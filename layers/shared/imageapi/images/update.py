"""Change an image's metadata."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageapi.catalog import analyses, images
from imageapi.database import db
from imageapi.errors import VersionMismatchError
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id
from imageapi.model.metadata import clean_changes
from imageapi.search.tokens import index_values


def update_image(image_id: str, changes: Mapping[str, Any], versions: Sequence[int] | None) -> db.Row:
    """Change metadata fields and, in the same transaction, the image's search columns.

    Args:
        changes: Metadata in openapi.json; missing fields stay unchanged.
        versions: change the image only at one of these versions; None for any.

    Raises:
        UnprocessableError: as for an upload's metadata.
        ImageNotFoundError: the image does not exist.
        VersionMismatchError: the image is at another version.
    """
    clean = clean_changes(changes)
    if not clean:
        image = get_image(image_id)
        if versions is not None and image["version"] not in versions:
            raise VersionMismatchError(image["version"])
        return image
    while not (
        changed := db.transaction(lambda cursor: _update(cursor, parse_id(image_id), clean, versions))
    ):
        image = get_image(image_id)  # raises, unless the image was restored since
        if versions is not None:
            raise VersionMismatchError(image["version"])
    return changed


def _update(
    cursor: db.Cursor, image_id: str, changes: Mapping[str, Any], versions: Sequence[int] | None
) -> db.Row | None:
    """The changed row; None if no image has this id and one of these versions."""
    image = images.lock(cursor, image_id, versions)
    if not image:
        return None
    text = analyses.find_text(cursor, image_id)
    values = {**changes, **index_values({**image, **changes, "analysis_text": text})}
    return images.update(cursor, image_id, values, new_version=True)
