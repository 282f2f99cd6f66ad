"""Delete an image: move it to the trash, or for good, and remove its objects."""

from collections.abc import Sequence

from imageapi.catalog import pending_removals, trash
from imageapi.config.settings import get_settings
from imageapi.delivery.removals import finish_removals
from imageapi.errors import ImageNotFoundError, PreconditionFailedError
from imageapi.model.ids import parse_id
from imageapi.model.parameters import parse_flag


def deletes_for_good(permanent: str | None) -> bool:
    """Whether a request with this parameter ``permanent`` bypasses the trash, as all do without TRASH_DAYS.

    Raises:
        InvalidParameterError: it is neither ``true`` nor ``false``.
    """
    return parse_flag("permanent", permanent) or not get_settings().trash_days


def delete_image(image_id: str, versions: Sequence[int] | None, *, for_good: bool) -> None:
    """Move an image to the trash and remove what was made from it; or delete one, in the trash or not, with
    everything. Behind CloudFront, the bucket's notification of a marker starts ``cdn.invalidate``.

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
        found = pending_removals.begin([image_id], versions)
    else:
        found = trash.move([image_id], get_settings().trash_days, versions)
    if found:
        return finish_removals(found)
    place = trash.find_places([image_id]).get(image_id)
    if place is None or (place == "trashed" and not for_good):
        raise ImageNotFoundError(trashed=place is not None)
    if versions is None:  # it was restored between the two statements
        return delete_image(image_id, versions, for_good=for_good)
    raise PreconditionFailedError()
