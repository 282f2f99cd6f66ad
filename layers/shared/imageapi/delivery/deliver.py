"""Delivery: a signed link becomes a redirect to a presigned URL; variants are rendered on first request."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from imageapi.config.settings import get_settings
from imageapi.delivery import links
from imageapi.delivery.ensure_variant import ensure_variant, find_image
from imageapi.model import variant_formats, variant_names
from imageapi.model.filenames import content_disposition
from imageapi.model.ids import parse_id
from imageapi.storage import signing
from imageapi.storage.keys import variant_key

MAX_URL_SECONDS = 3600
"""A presigned URL is valid for at most this long, however long the link is."""


@dataclass(frozen=True)
class Delivery:
    """The redirect's target and Cache-Control."""

    url: str
    cache_control: str


@dataclass(frozen=True)
class _File:
    """An object as a browser gets it."""

    key: str
    mime_type: str
    filename: str


def deliver_image(
    image_id: str, variant: str, query: Mapping[str, str], accept: str | None, method: str = "GET"
) -> Delivery:
    """Check a link; find or render what it names.

    Args:
        variant: ``original``, or a name as in ``variants``.
        query: ``e`` and ``s`` of the link; ``download=1`` asks the browser to save the file.
        accept: the Accept header, for a variant without a format.
        method: GET or HEAD; the URL is signed for that method only.

    Raises:
        ForbiddenError: the link was altered or has expired.
        NotFoundError: ``image_not_found``, ``variant_unknown``; ``object_missing`` when the store has lost
            it.
        UnprocessableError, UnsupportedMediaTypeError: the original cannot be rendered (now or recently).
        VariantPendingError: another request is rendering it; try again.
    """
    keys = get_settings().secret_keys
    expires = links.verify_link(image_id, variant, query.get("e"), query.get("s"), now=time.time(), keys=keys)
    if variant == variant_names.ORIGINAL:
        image = find_image(parse_id(image_id), variant)
        file = _File(image["s3_key"], image["mime_type"], image["filename"])
    else:
        file = _find_or_make(image_id, variant, accept)
    return _redirect(file, expires, method, download=query.get("download") == "1")


def _find_or_make(image_id: str, name: str, accept: str | None) -> _File:
    wanted = variant_names.parse_variant(name, accept)
    image = find_image(parse_id(image_id), wanted.name)
    if image["frames"] > 1:
        moving = variant_names.parse_variant(name, accept, variant_formats.MOVING)
        if moving != wanted:
            wanted, image = moving, find_image(image["id"], moving.name)
    if image["variant_status"] != "ready":
        ensure_variant(image, wanted)
    stem = image["filename"].rpartition(".")[0] or image["filename"]
    key = variant_key(image["id"], wanted.name)
    return _File(key, wanted.mime_type, f"{stem}.{wanted.extension}")


def _redirect(file: _File, expires: int, method: str, *, download: bool) -> Delivery:
    # Counted from now: rendering may have taken seconds.
    seconds = signing.limit_lifetime(max(1, min(expires - int(time.time()), MAX_URL_SECONDS)))
    url = signing.presign_url(
        method,
        file.key,
        expires_in=seconds,
        content_type=file.mime_type,
        disposition=content_disposition(file.filename, download=download),
        cache_control=f"private, max-age={seconds}, immutable",
    )
    # Link and URL must outlive the cached redirect. One signed for HEAD is not cached: the cache might answer
    # a GET with it.
    remembered = f"private, max-age={max(0, seconds - 60)}" if method == "GET" else "no-store"
    return Delivery(url, remembered)
