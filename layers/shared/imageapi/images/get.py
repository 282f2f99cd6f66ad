"""Read one image."""

from imageapi.catalog import images
from imageapi.database import db
from imageapi.errors import ImageNotFoundError
from imageapi.model.ids import parse_id


def get_image(image_id: str) -> db.Row:
    """The row of an image.

    Raises:
        ImageNotFoundError: there is no such image.
    """
    row = images.find(parse_id(image_id))
    if row is None:
        raise ImageNotFoundError()
    return row
