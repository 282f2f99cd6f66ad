"""Check a signed link, render its variant at the first request, and return a presigned URL or the bytes."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imageapi.config.settings import MAX_DIRECT_FILE_BYTES, get_settings
from imageapi.database import db
from imageapi.delivery import links
from imageapi.delivery.ensure_variant import ensure_variant, find_image
from imageapi.errors import ForbiddenError, PayloadTooLargeError
from imageapi.model import variant_formats, variant_names
from imageapi.model.filenames import content_disposition, replace_extension
from imageapi.model.ids import parse_id
from imageapi.storage import s3, signing
from imageapi.storage.object_keys import variant_key

URL_SECONDS = 60
"""Maximum validity of a presigned URL: a deleted or revoked image stays readable for at most this long."""


@dataclass(frozen=True)
class Content:
    """A variant's bytes. The ETag equals that of S3, which serves later requests."""

    data: bytes
    mime_type: str
    disposition: str
    cache_control: str
    etag: str


@dataclass(frozen=True)
class _File:
    """An object as a browser receives it."""

    key: str
    mime_type: str
    filename: str


def deliver_image(
    image_id: str, variant: str, query: Mapping[str, Any], accept: str | None, method: str = "GET"
) -> str:
    """Check a link, and find or render its variant.

    Args:
        variant: ``original`` or the name of a variant.
        query: the parameters of the link. With ``download``, the browser saves the file.
        accept: the Accept header, for a variant without a format.
        method: GET or HEAD; the URL is signed only for this method.

    Returns:
        A presigned URL, for a redirect that no cache may store.

    Raises:
        ForbiddenError: the link was altered, has expired or was revoked.
        NotFoundError: ``image_not_found``, ``variant_not_found``; ``object_missing`` if the store lost it.
        UnprocessableError, UnsupportedMediaTypeError: the original cannot be rendered (now or recently).
        VariantPendingError: another request is rendering the variant; try again.
    """
    validity = _verify(image_id, [variant], query)
    if variant == variant_names.ORIGINAL:
        image = _find(image_id, variant, validity)
        extension = image["s3_key"].rpartition(".")[2]
        filename = replace_extension(image["filename"], extension)
        file = _File(image["s3_key"], image["mime_type"], filename)
    else:
        file = _find_or_render(image_id, variant, accept, validity)
    return _presign(file, validity, method, download=query["download"])


def deliver_content(
    image_id: str, name: str, query: Mapping[str, Any], version: str | None = None
) -> Content | str:
    """The bytes of a variant that CloudFront did not find in the bucket.

    Args:
        name: the variant with its format. The link may be signed for the name without format, which
            CloudFront then chose.
        version: the link version in the path of a permanent link. It must equal the signed version.

    Returns:
        The bytes, or a presigned URL if the variant is too large for a function's response.

    Raises:
        As :func:`deliver_image`; also NotFoundError (``variant_not_found``) if the name lacks a format.
    """
    validity = _verify(image_id, [name, name.rpartition(".")[0]], query)
    if version != (None if validity.version is None else str(validity.version)):
        raise ForbiddenError("The link is not valid. Request the image again for a new one.")
    if "." not in name:
        raise variant_names.unknown_variant()
    file = _find_or_render(image_id, name, None, validity)
    try:
        with s3.downloaded(file.key, MAX_DIRECT_FILE_BYTES) as body:
            body.seek(0)
            data = body.read()
    except PayloadTooLargeError:
        return _presign(file, validity, "GET", download=False)
    disposition = content_disposition(file.filename, download=False)
    etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    return Content(data, file.mime_type, disposition, s3.IMMUTABLE, etag)


def _verify(image_id: str, names: list[str], query: Mapping[str, Any]) -> links.Validity:
    settings = get_settings()
    return links.verify_link(
        image_id, names, query, now=time.time(), lifetime=settings.link_ttl, keys=settings.secret_keys
    )


def _find(image_id: str, variant: str, validity: links.Validity) -> db.Row:
    """The image; raises an error if its permanent links were revoked after this one was signed."""
    image = find_image(parse_id(image_id), variant)
    if validity.version is not None and validity.version != image["link_version"]:
        raise ForbiddenError(
            "The link was revoked. Request the image again for a new one.", code="link_revoked"
        )
    return image


def _find_or_render(image_id: str, name: str, accept: str | None, validity: links.Validity) -> _File:
    wanted = variant_names.parse_variant(name, accept)
    image = _find(image_id, wanted.name, validity)
    if image["frames"] > 1:
        moving = variant_names.parse_variant(name, accept, variant_formats.MOVING)
        if moving != wanted:
            wanted, image = moving, find_image(image["id"], moving.name)
    if image["variant_status"] != "ready":
        ensure_variant(image, wanted)
    key = variant_key(image["id"], wanted.name)
    return _File(key, wanted.mime_type, replace_extension(image["filename"], wanted.extension))


def _presign(file: _File, validity: links.Validity, method: str, *, download: bool) -> str:
    # From the current time: rendering may have taken seconds.
    left = URL_SECONDS if validity.expires is None else validity.expires - int(time.time())
    seconds = signing.limit_lifetime(max(1, min(left, URL_SECONDS)))
    return signing.presign_url(
        method,
        file.key,
        expires_in=seconds,
        content_type=file.mime_type,
        disposition=content_disposition(file.filename, download=download),
        cache_control=f"private, max-age={seconds}, immutable",
    )
