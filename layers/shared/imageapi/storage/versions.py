"""Checksums of objects, and older versions in a bucket with versioning."""

import hashlib
from base64 import b64decode
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.errors import ObjectMissingError
from imageapi.storage.clients import get_client
from imageapi.storage.s3 import CHUNK_BYTES, check_time, storage_errors


def read_sha256(key: str, version_id: str | None = None) -> str | None:
    """The SHA-256 (hex) of an object, from the store. If the store keeps none, the bytes are read.

    Args:
        version_id: an older version; None for the current one.

    Returns:
        None if the object does not exist.

    Raises:
        StorageUnavailableError: the store does not respond.
    """
    where = {"Bucket": get_settings().bucket, "Key": key}
    if version_id:
        where["VersionId"] = version_id
    try:
        with storage_errors():
            kept = get_client().head_object(**where, ChecksumMode="ENABLED").get("ChecksumSHA256", "")
            # For a multipart object it is a checksum of the parts' checksums, and their number: "…-2".
            return b64decode(kept).hex() if kept and "-" not in kept else _hash(where)
    except ObjectMissingError:
        return None


def _hash(where: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for chunk in get_client().get_object(**where)["Body"].iter_chunks(CHUNK_BYTES):
        check_time()
        digest.update(chunk)
    return digest.hexdigest()


def find_versions(key: str) -> list[str]:
    """The ids of an object's versions, newest first, without delete markers.

    Raises:
        StorageUnavailableError: the store does not respond, or denies access (on AWS without ``Versioning``).
    """
    with storage_errors():
        found = get_client().list_object_versions(Bucket=get_settings().bucket, Prefix=key)
    return [version["VersionId"] for version in found.get("Versions", []) if version["Key"] == key]


def copy_version(key: str, version_id: str) -> None:
    """Copy an older version, so that it becomes the current one. No version is deleted.

    Raises:
        StorageUnavailableError: the store does not respond, or the version no longer exists.
    """
    bucket = get_settings().bucket
    source = {"Bucket": bucket, "Key": key, "VersionId": version_id}
    with storage_errors():
        get_client().copy_object(Bucket=bucket, Key=key, CopySource=source, ChecksumAlgorithm="SHA256")
