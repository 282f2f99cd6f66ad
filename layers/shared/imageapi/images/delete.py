"""Delete an image: move it to the trash, or for good, and remove its objects."""

import hashlib
from collections.abc import Sequence

from imageapi.catalog import deletions, trash
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import PreconditionFailedError
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id
from imageapi.model.parameters import parse_flag
from imageapi.storage import s3
from imageapi.storage.keys import incoming_key, invalidation_key, variant_key


def deletes_for_good(permanent: str | None) -> bool:
    """Whether a request with this parameter ``permanent`` bypasses the trash, as all do without TRASH_DAYS.

    Raises:
        InvalidParameterError: it is neither ``true`` nor ``false``.
    """
    return parse_flag("permanent", permanent) or not get_settings().trash_days


def delete_image(image_id: str, versions: Sequence[int] | None, *, for_good: bool) -> None:
    """Move an image to the trash and remove what was made from it; or delete one, in the trash or not, with
    everything. Behind CloudFront, the bucket's notification of a marker starts ``edge.invalidate``.

    A crash after the first step leaves a deletion, which a retry or a sweep finishes.

    Args:
        versions: delete the image only at one of these versions; None: any.

    Raises:
        ImageNotFoundError: there is no such image.
        PreconditionFailedError: the image is at another version.
        DatabaseUnavailableError, StorageUnavailableError: deleted, but some objects are left; send it again.
    """
    image_id = parse_id(image_id)
    if for_good:
        found = deletions.begin([image_id], versions)
    else:
        found = trash.move([image_id], get_settings().trash_days, versions)
    if found:
        return finish_deletions(found)
    if not for_good or not trash.find_places([image_id]):
        get_image(image_id)
    raise PreconditionFailedError()


def finish_deletions(found: Sequence[db.Row]) -> None:
    """Remove the objects of deletions, then the deletions.

    CloudFront is told last to forget the variants: earlier, it could cache them again.
    """
    if not found:
        return
    keys = [deletion["s3_key"] for deletion in found if deletion["s3_key"]]
    keys += [incoming_key(deletion["image_id"]) for deletion in found]
    keys += [variant_key(deletion["image_id"], name) for deletion in found for name in deletion["variants"]]
    s3.delete_objects(keys)
    for deletion in found:
        if deletion["variants"]:
            put_marker(deletion["image_id"])
    deletions.finish(found)


def put_marker(image_id: str) -> None:
    """Have CloudFront, if there is one, forget an image: the object tells the function outside the network.

    Raises:
        StorageUnavailableError: unknown whether it is told.
    """
    if not get_settings().uses_edge:
        return
    empty = hashlib.sha256(b"").digest()
    s3.put_object(invalidation_key(image_id), b"", content_type="text/plain", sha256=empty)
