"""Delivery: a signed link becomes a redirect to a presigned URL; renditions are made when first asked for."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from imageapi import db, links, renditions, signing, storage, variants
from imageapi.catalog import variants as variant_rows
from imageapi.config import get_settings
from imageapi.errors import (
    AppError,
    ImageNotFoundError,
    ObjectMissingError,
    StorageUnavailableError,
    TooComplexError,
    UnprocessableError,
    UnsupportedMediaTypeError,
    VariantPendingError,
    stored_error,
)
from imageapi.filenames import content_disposition
from imageapi.ids import parse_id
from imageapi.logs import get_logger
from imageapi.metrics import add_metric

MAX_URL_SECONDS = 3600
"""A presigned URL is valid for no longer than this, however long the link is."""
WAIT_SECONDS, POLL_SECONDS = 2.0, 0.05
"""How long a request waits for another one that is making the same variant."""


@dataclass(frozen=True)
class Delivery:
    """Where to go, and the Cache-Control of that."""

    url: str
    cache_control: str


@dataclass(frozen=True)
class _File:
    """An object as a browser is to get it."""

    key: str
    mime_type: str
    filename: str


def deliver_image(
    image_id: str, variant: str, query: Mapping[str, str], accept: str | None, method: str = "GET"
) -> Delivery:
    """Check a link and find or make what it names.

    Args:
        variant: ``original``, or a name as in ``variants``.
        query: ``e`` and ``s`` of the link; ``download=1`` asks the browser to save the file.
        accept: the Accept header, for a variant without a format.
        method: GET or HEAD, which the client will use on the URL too: its signature is for one of them.

    Raises:
        ForbiddenError: the link was altered or has expired.
        NotFoundError: ``image_not_found``, ``variant_unknown``; ``object_missing`` when the store has lost
            it.
        UnprocessableError, UnsupportedMediaTypeError: the original cannot be rendered, now or a while ago.
        VariantPendingError: another request is rendering it; try again.
    """
    keys = get_settings().secret_keys
    expires = links.verify_link(image_id, variant, query.get("e"), query.get("s"), now=time.time(), keys=keys)
    if variant == variants.ORIGINAL:
        image = _find_image(parse_id(image_id), variant)
        file = _File(image["s3_key"], image["mime_type"], image["filename"])
    else:
        file = _find_or_make(image_id, variant, accept)
    return _redirect(file, expires, method, download=query.get("download") == "1")


def _find_or_make(image_id: str, name: str, accept: str | None) -> _File:
    wanted = variants.parse_variant(name, accept)
    image = _find_image(parse_id(image_id), wanted.name)
    if image["frames"] > 1:
        moving = variants.parse_variant(name, accept, variants.MOVING)
        if moving != wanted:
            wanted, image = moving, _find_image(image["id"], moving.name)
    if image["variant_status"] != "ready":
        _ensure_variant(image, wanted)
    stem = image["filename"].rpartition(".")[0] or image["filename"]
    key = storage.variant_key(image["id"], wanted.name)
    return _File(key, wanted.mime_type, f"{stem}.{wanted.extension}")


def _redirect(file: _File, expires: int, method: str, *, download: bool) -> Delivery:
    # Counted from now: a rendition may have taken its time.
    seconds = signing.limit_lifetime(max(1, min(expires - int(time.time()), MAX_URL_SECONDS)))
    url = signing.presign_url(
        method,
        file.key,
        expires_in=seconds,
        content_type=file.mime_type,
        disposition=content_disposition(file.filename, download=download),
        cache_control=f"private, max-age={seconds}, immutable",
    )
    # Both the link and the URL must outlive what a cache remembers of them. What is signed for HEAD is of no
    # use to the GET that the same cache may answer.
    remembered = f"private, max-age={max(0, seconds - 60)}" if method == "GET" else "no-store"
    return Delivery(url, remembered)


def _find_image(image_id: str, variant_name: str) -> db.Row:
    image = variant_rows.find_image(image_id, variant_name)
    if image is None:
        raise ImageNotFoundError()
    return image


def _ensure_variant(image: db.Row, variant: variants.Variant) -> None:
    """Render, or wait for the request that is rendering it already."""
    deadline = time.monotonic() + WAIT_SECONDS
    while image["variant_status"] != "ready":
        if image["variant_status"] == "failed" and image["is_leased"]:
            raise stored_error(image["variant_failure"], "The picture could not be rendered.")
        if not image["is_leased"]:
            lease = variant_rows.take(image["id"], variant.name)
            if lease and image["variant_status"] == "pending" and lease.attempt > variant_rows.MAX_ATTEMPTS:
                error = TooComplexError()
                variant_rows.mark_failed(image["id"], variant.name, lease.token, error.code)
                raise error
            if lease:
                return _make_variant(image, variant, lease.token)
        if time.monotonic() > deadline:
            raise VariantPendingError()
        time.sleep(POLL_SECONDS)
        image = _find_image(image["id"], variant.name)


def _make_variant(image: db.Row, variant: variants.Variant, token: int) -> None:
    """Render and store a variant whose lease was taken."""
    try:
        data = _render(image, variant)
    except (UnprocessableError, UnsupportedMediaTypeError) as error:
        # It was decoded once, when it was uploaded: that need not be the picture's fault.
        facts = {"image_id": image["id"], "variant": variant.name}
        get_logger().warning("a picture could not be rendered", extra=facts, exc_info=error)
        variant_rows.mark_failed(image["id"], variant.name, token, error.code)
        raise
    except AppError:
        renditions.give_up(image["id"], variant.name, token)
        raise
    try:
        stored = renditions.store(image["id"], variant.name, token, data, variant.mime_type)
    except StorageUnavailableError:
        renditions.give_up(image["id"], variant.name, token)
        raise
    # When the database does not answer, the row may be ready: the object stays, or the lease runs out.
    if not stored:
        raise ImageNotFoundError()
    add_metric("Renders")


def _render(image: db.Row, variant: variants.Variant) -> bytes:
    from imageapi import rendering  # only who renders pays for Pillow

    with _source(image, variant) as source:
        return rendering.render(source, variant, get_settings().max_pixels)


@contextmanager
def _source(image: db.Row, variant: variants.Variant) -> Iterator[IO[bytes]]:
    """What to make a rendition from: the reduced copy when there is one that has pixels enough."""
    with ExitStack() as stack:
        source: IO[bytes] | None = None
        if variant.is_small and image["has_copy"]:
            key = storage.variant_key(image["id"], variants.REDUCED)
            with suppress(ObjectMissingError):  # lost, as a sweep will find
                source = stack.enter_context(storage.downloaded(key, variants.REDUCED_MAX_BYTES))
        yield source or stack.enter_context(storage.downloaded(image["s3_key"], image["size_bytes"]))
