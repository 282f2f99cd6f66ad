"""Revoke the permanent links of an image."""

from imageapi.catalog import images
from imageapi.database import db
from imageapi.images.delete import put_marker
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id


def revoke_links(image_id: str) -> db.Row:
    """Make all permanent links of an image that exist by now stop working.

    Behind CloudFront, an object tells the function outside the network to remove the image from its caches.
    Only then: an invalidation before the new link version could be undone by a request in flight.

    Returns:
        The image, with its new link version.

    Raises:
        ImageNotFoundError: there is no such image.
        StorageUnavailableError: revoked, but CloudFront still has cached copies; send it again.
    """
    row = images.raise_link_version(parse_id(image_id))
    if row is None:
        return get_image(image_id)
    put_marker(row["id"])
    return row
