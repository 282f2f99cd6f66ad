"""Delete an image: turn its row into a deletion, remove its objects, then the deletion."""

from collections.abc import Sequence

from imageapi.catalog import deletions
from imageapi.database import db
from imageapi.errors import PreconditionFailedError
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id
from imageapi.storage import s3
from imageapi.storage.keys import incoming_key, variant_key


def delete_image(image_id: str, versions: Sequence[int] | None) -> None:
    """Delete an image and everything made from it. Behind CloudFront, the bucket's notification of the
    removed original starts ``edge.invalidate``.

    A crash after the first step leaves a deletion, which a retry or a sweep finishes.

    Args:
        versions: delete the image only at one of these versions; None: any.

    Raises:
        ImageNotFoundError: there is no such image.
        PreconditionFailedError: the image is at another version.
        DatabaseUnavailableError, StorageUnavailableError: deleted, but some objects are left; send it again.
    """
    deletion = deletions.begin(parse_id(image_id), versions)
    if not deletion:
        get_image(image_id)
        raise PreconditionFailedError()
    finish_deletion(deletion)


def finish_deletion(deletion: db.Row) -> None:
    """Remove the objects of an image whose row is gone, then its deletion."""
    image_id = deletion["image_id"]
    keys = [deletion["s3_key"], incoming_key(image_id)]
    keys += [variant_key(image_id, name) for name in deletion["variants"]]
    s3.delete_objects(keys)
    deletions.finish(image_id)
