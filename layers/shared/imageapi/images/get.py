"""Read one image."""

from imageapi.catalog import images, trash
from imageapi.database import db
from imageapi.errors import ImageNotFoundError
from imageapi.model.ids import parse_id


def get_image(image_id: str) -> db.Row:
    """The row of an image.

    Raises:
        ImageNotFoundError: the image does not exist, or is in the trash (``details.trashed``).
    """
    image_id = parse_id(image_id)
    row = images.find(image_id)
    if row is None:
        raise ImageNotFoundError(trashed=bool(trash.find_places([image_id])))
    return row
