"""Delete an image: move it to the trash, or delete it permanently, and remove its objects."""

from collections.abc import Sequence

from imageapi.api_keys.check import Key
from imageapi.catalog import pending_removals, trash
from imageapi.config.settings import get_settings
from imageapi.delivery.removals import finish_removals
from imageapi.errors import ImageNotFoundError, VersionMismatchError
from imageapi.model.ids import parse_id
from imageapi.model.scopes import DELETE, WRITE


def delete_image(image_id: str, versions: Sequence[int] | None, *, permanent: bool, key: Key) -> None:
    """Move an image to the trash and remove its variants; or permanently delete an image, which can be in the
    trash, with all its objects. Behind CloudFront, a marker's notification starts ``cdn.invalidate``.

    A crash after the first step leaves a pending removal, which a retry or a sweep finishes.

    Args:
        versions: delete the image only at one of these versions; None for any.
        permanent: bypass the trash. If TRASH_DAYS is 0, every deletion does.

    Raises:
        ForbiddenError: ``scope_missing``: the key may not move images to the trash or delete them.
        ImageNotFoundError: the image does not exist.
        VersionMismatchError: the image is at another version.
        DatabaseUnavailableError, StorageUnavailableError: some objects may be left; send it again.
    """
    days = get_settings().trash_days
    permanent = permanent or not days
    key.check_scope(DELETE if permanent else WRITE)
    image_id = parse_id(image_id)
    while True:
        if permanent:
            removals = pending_removals.begin([image_id], versions)
        else:
            removals = trash.move([image_id], days, versions)
        if removals:
            return finish_removals(removals)
        place = trash.find_places([image_id]).get(image_id)
        if place is None or (place == "trashed" and not permanent):
            raise ImageNotFoundError(trashed=place is not None)
        if versions is not None:
            version = trash.find_version(image_id)
            if version is not None and version not in versions:
                raise VersionMismatchError(version)
        # The image was restored between the two statements.
