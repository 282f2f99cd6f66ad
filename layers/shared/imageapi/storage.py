"""The object store: S3 on AWS, any S3 server elsewhere. boto3 is imported when the first request needs it.

Keys are made from ids alone, never from what a client sent:

- ``originals/<id>.<extension>``: what was uploaded, written once, never changed.
- ``incoming/<id>``: what a presigned upload brings, until it has been checked.
- ``variants/<id>/<name>``: renditions, which can be made again at any time.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from imageapi.config import Settings, get_settings
from imageapi.errors import StorageUnavailableError


IMMUTABLE = "private, max-age=31536000, immutable"


def original_key(image_id: str, extension: str) -> str:
    """The key of an image's original bytes."""
    return f"originals/{image_id}.{extension}"


def put_object(key: str, data: bytes, *, content_type: str, sha256: bytes) -> None:
    """Store ``data`` under ``key``. The store checks the bytes against ``sha256`` (32 bytes).

    Raises:
        StorageUnavailableError: not stored, or not known to be.
    """
    with _storage_errors():
        get_client().put_object(
            Bucket=get_settings().bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            CacheControl=IMMUTABLE,
            ChecksumSHA256=base64.b64encode(sha256).decode(),
        )


def delete_object(key: str) -> None:
    """Remove the object; fine when there is none.

    Raises:
        StorageUnavailableError: not removed, or not known to be.
    """
    with _storage_errors():
        get_client().delete_object(Bucket=get_settings().bucket, Key=key)


def check_bucket(timeout: float) -> None:
    """Ask for the bucket, once, within ``timeout`` seconds.

    Raises:
        StorageUnavailableError: the store does not answer, refuses, or has no such bucket.
    """
    with _storage_errors():
        _probe_client(timeout).head_bucket(Bucket=get_settings().bucket)


@lru_cache(maxsize=1)
def get_client() -> Any:
    """The S3 client of this execution environment."""
    return _make_client(get_settings(), connect_timeout=2, read_timeout=10, attempts=3)


@lru_cache(maxsize=1)
def _probe_client(timeout: float) -> Any:
    return _make_client(get_settings(), connect_timeout=timeout, read_timeout=timeout, attempts=1)


def _make_client(
    settings: Settings,
    *,
    connect_timeout: float,
    read_timeout: float,
    attempts: int,
    endpoint: str | None = None,
) -> Any:
    import botocore.session
    from botocore.config import Config

    # botocore's own session: boto3's would add resources and their models, which nothing here uses.
    return botocore.session.get_session().create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=endpoint or settings.s3_endpoint_url,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "virtual"},
            # put_object sends its own checksum; servers other than AWS do not know the trailing ones.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn what botocore raises into the one error that means: the store cannot do it now."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StorageUnavailableError() from error
