"""Objects in the object store: put, download, delete, list."""

import hashlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from imageapi.config.settings import get_settings
from imageapi.deadline import time_left
from imageapi.errors import ObjectMissingError, PayloadTooLargeError, StorageUnavailableError
from imageapi.storage import signing
from imageapi.storage.clients import ATTEMPTS, get_client, get_connections, get_probe_client, get_retries

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile
CHUNK_BYTES = 65_536
LIST_PAGE = MAX_DELETED_AT_ONCE = 1_000
"""S3's limit per list or delete request."""
SPOOL_BYTES = 8_388_608
"""Downloads up to this size stay in memory. Larger ones go to /tmp."""
IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of all objects, for CloudFront. Presigned URLs set another for browsers."""


def put_object(
    key: str, data: bytes | IO[bytes], *, content_type: str, sha256: bytes, attempts: int = ATTEMPTS
) -> None:
    """Store ``data`` under ``key``. The store checks the bytes against ``sha256`` (32 bytes).

    It does not use botocore's client, which takes a millisecond per upload, and at first use loads its S3
    model.

    Args:
        data: the whole object; a file is sent from its beginning.

    Raises:
        StorageUnavailableError: the object may or may not be stored.
    """
    from urllib3.exceptions import HTTPError

    # A file is sent in blocks, each within CONNECT_SECONDS. Bytes would be sent all at once.
    file: Any = _Body(io.BytesIO(data) if isinstance(data, bytes) else data)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    url, headers = signing.sign_put(key, {"Content-Type": content_type, "Cache-Control": IMMUTABLE}, sha256)
    headers["Content-Length"] = str(size)
    try:
        answer = get_connections().request(
            "PUT", url, body=file, headers=headers, redirect=False, retries=get_retries(attempts)
        )
    except HTTPError as error:
        raise StorageUnavailableError() from error
    if answer.status != 200:
        # Only the code is logged: the rest of the response may repeat the request's credentials.
        code = re.search(rb"<Code>(\w+)</Code>", answer.data)
        raise StorageUnavailableError() from OSError(answer.status, code[1].decode() if code else "no code")


def put_marker(key: str, attempts: int = ATTEMPTS) -> None:
    """Store an empty object whose notification starts a function. Raises as :func:`put_object`."""
    sha256 = hashlib.sha256(b"").digest()
    put_object(key, b"", content_type="text/plain", sha256=sha256, attempts=attempts)


class _Body:
    """A file that is readable until the time limit."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        check_time()
        return self._file.read(size)


def check_time() -> None:
    if time_left() <= 0:
        raise TimeoutError("no time is left for this transfer")


def download(key: str, target: IO[bytes], max_bytes: int) -> None:
    """Write an object to ``target`` in chunks. No chunk begins after the time limit.

    Raises:
        ObjectMissingError: the object does not exist.
        PayloadTooLargeError: it is larger than ``max_bytes``; nothing was read.
        StorageUnavailableError: at most a part was read.
    """
    with storage_errors():
        answer = get_client().get_object(Bucket=get_settings().bucket, Key=key)
        if answer["ContentLength"] > max_bytes:
            answer["Body"].close()
            raise PayloadTooLargeError(
                f"The file is larger than {max_bytes:,} bytes.", details={"max_bytes": max_bytes}
            )
        for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
            check_time()
            target.write(chunk)


@contextmanager
def downloaded(key: str, max_bytes: int) -> Iterator["SpooledTemporaryFile[bytes]"]:
    """A whole object as a file, positioned at its end. Raises as :func:`download`."""
    from tempfile import SpooledTemporaryFile  # only for downloads

    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
        download(key, file, max_bytes)
        yield file


def delete_objects(keys: Sequence[str]) -> None:
    """Delete objects. Missing ones are not an error.

    Raises:
        StorageUnavailableError: some objects may still exist.
    """
    for start in range(0, len(keys), MAX_DELETED_AT_ONCE):
        objects = [{"Key": key} for key in keys[start : start + MAX_DELETED_AT_ONCE]]
        with storage_errors():
            answer = get_client().delete_objects(
                Bucket=get_settings().bucket, Delete={"Objects": objects, "Quiet": True}
            )
        if errors := answer.get("Errors"):
            codes = sorted({str(error.get("Code", "no code")) for error in errors})
            raise StorageUnavailableError() from OSError(
                f"{len(errors)} of {len(objects)} objects not deleted: {', '.join(codes)}"
            )


def list_objects(prefix: str, after: str = "") -> Iterator[list[tuple[str, datetime]]]:
    """Pages of up to LIST_PAGE objects under a prefix and after a key, by key: ``(key, last modified)``.

    Raises:
        StorageUnavailableError: the store does not respond.
    """
    paginator = get_client().get_paginator("list_objects_v2")
    where = {"Bucket": get_settings().bucket, "Prefix": prefix, "StartAfter": after}
    pages = iter(paginator.paginate(**where, PaginationConfig={"PageSize": LIST_PAGE}))
    while True:
        with storage_errors():
            page = next(pages, None)
        if page is None:
            return
        yield [(item["Key"], item["LastModified"]) for item in page.get("Contents", [])]


def object_exists(key: str) -> bool:
    """Whether an object exists.

    Raises:
        StorageUnavailableError: the store does not respond.
    """
    try:
        with storage_errors():
            get_client().head_object(Bucket=get_settings().bucket, Key=key)
    except ObjectMissingError:
        return False
    return True


def check_bucket(timeout: float) -> None:
    """Request the bucket once, within ``timeout`` seconds.

    Raises:
        StorageUnavailableError: the store does not respond, denies access, or the bucket does not exist.
    """
    with storage_errors():
        get_probe_client(timeout).head_bucket(Bucket=get_settings().bucket)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn botocore's errors into ObjectMissingError or StorageUnavailableError."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise ObjectMissingError("The object store does not have this file.") from error
        raise StorageUnavailableError() from error
    except (BotoCoreError, HTTPError, TimeoutError) as error:
        raise StorageUnavailableError() from error
