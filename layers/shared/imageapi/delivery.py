"""Delivery: a signed link becomes a redirect to a presigned URL; renditions are made when first asked for."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from imageapi import db, links, renditions, signing, storage, variant_rows, variants
from imageapi.config import get_settings
from imageapi.errors import (
    AppError,
    DatabaseUnavailableError,
    ImageNotFoundError,
    ObjectMissingError,
    VariantPendingError,
)
from imageapi.filenames import content_disposition
from imageapi.images import parse_id
from imageapi.logs import get_logger
from imageapi.metrics import add_metric

MAX_URL_SECONDS = 3600
"""A presigned URL is valid for no longer than this, however long the link is."""
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.05


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
        UnprocessableError: the original cannot be rendered.
        VariantPendingError: another request is rendering it, and takes long.
    """
    keys = get_settings().secret_keys
    expires = links.verify_link(image_id, variant, query.get("e"), query.get("s"), now=time.time(), keys=keys)
    if variant == variants.ORIGINAL:
        image = _find_ready(parse_id(image_id), variant)
        file = _File(image["s3_key"], image["mime_type"], image["filename"])
    else:
        file = _find_or_make(image_id, variant, accept)
    return _redirect(file, expires, method, download=query.get("download") == "1")


def _find_or_make(image_id: str, name: str, accept: str | None) -> _File:
    wanted = variants.parse_variant(name, accept)
    image = _find_ready(parse_id(image_id), wanted.name)
    if image["frames"] > 1:
        moving = variants.parse_variant(name, accept, variants.MOVING)
        if moving != wanted:
            wanted, image = moving, _find_ready(image["id"], moving.name)
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


def _find_ready(image_id: str, variant_name: str) -> db.Row:
    image = variant_rows.find_image(image_id, variant_name)
    if image is None:
        raise ImageNotFoundError()
    return image


def _ensure_variant(image: db.Row, variant: variants.Variant) -> None:
    """Render, or wait for the request that is rendering it already."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not variant_rows.claim(image["id"], variant.name, renditions.CLAIM_SECONDS):
        if _find_ready(image["id"], variant.name)["variant_status"] == "ready":
            return
        if time.monotonic() > deadline:
            raise VariantPendingError()
        time.sleep(POLL_SECONDS)
    try:
        _render(image, variant)
    except DatabaseUnavailableError:  # the row may have turned ready: its object stays, or the claim runs out
        raise
    except AppError as error:
        if error.status == 422:
            # It was decoded once, when it was uploaded: that need not be the picture's fault.
            facts = {"image_id": image["id"], "variant": variant.name}
            get_logger().warning("a picture could not be rendered", extra=facts, exc_info=error)
        renditions.give_up(image["id"], variant.name)
        raise


def _render(image: db.Row, variant: variants.Variant) -> None:
    from imageapi import rendering  # only who renders pays for Pillow

    with _source(image, variant) as source:
        data = rendering.render(source, variant, get_settings().max_pixels)
    if not renditions.store(image["id"], variant.name, data, variant.mime_type):
        raise ImageNotFoundError()
    add_metric("Renders")


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
