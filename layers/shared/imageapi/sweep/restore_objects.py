"""Restores objects of rows in a restored database from versions in the bucket.

A version is copied and becomes the current one. None is deleted, so this can be repeated and undone.
"""

from imageapi.catalog import originals, uploads
from imageapi.database import db
from imageapi.storage import s3, versions
from imageapi.storage.object_keys import incoming_key


def restore_original(row: db.Row) -> bool:
    """Restore the newest version of an original that has the checksum of its row.

    Args:
        row: ``id``, ``s3_key`` and ``sha256`` of an image.

    Returns:
        Whether there is such a version.
    """
    key = row["s3_key"]
    for version_id in versions.find_versions(key):
        if versions.read_sha256(key, version_id) == row["sha256"]:
            versions.copy_version(key, version_id)
            # A deletion of the image may have removed the object just before the copy.
            if row["id"] not in originals.find_object_keys([row["id"]]):
                s3.delete_objects([key])
            return True
    return False


def restore_incoming(upload_id: str) -> bool:
    """Restore the file of a pending upload, which was removed when the upload was finished.

    Returns:
        Whether there was one.
    """
    key = incoming_key(upload_id)
    if s3.object_exists(key):
        return False
    for version_id in versions.find_versions(key)[:1]:
        versions.copy_version(key, version_id)
        if upload_id not in uploads.find_object_keys([upload_id]):  # finished since
            s3.delete_objects([key])
        return True
    return False
