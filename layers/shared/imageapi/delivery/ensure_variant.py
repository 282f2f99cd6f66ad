"""Render a variant at its first request: acquire its lease, render, store."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from imageapi.catalog import variants
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.decoder import client as decoder
from imageapi.delivery import variant_store
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
from imageapi.model import variant_names
from imageapi.storage import s3
from imageapi.storage.object_keys import variant_key
from imageapi.telemetry.logs import get_logger
from imageapi.telemetry.metrics import add_metric

WAIT_SECONDS, POLL_SECONDS = 2.0, 0.05
"""How long a request waits for another request that is rendering the same variant."""


def find_image(image_id: str, variant_name: str) -> db.Row:
    image = variants.find_image(image_id, variant_name)
    if image is None:
        raise ImageNotFoundError()
    return image


def ensure_variant(image: db.Row, variant: variant_names.Variant) -> None:
    """Render a variant, or wait for the request that is rendering it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while image["variant_status"] != "ready":
        if image["variant_status"] == "failed" and image["is_leased"]:
            raise stored_error(
                image["variant_failure"], "The image cannot be rendered. Upload it again from an intact file."
            )
        if not image["is_leased"]:
            lease = variants.acquire_lease(image["id"], variant.name)
            if lease and image["variant_status"] == "pending" and lease["is_exhausted"]:
                error = TooComplexError()
                variants.mark_failed(image["id"], variant.name, lease["lease_token"], error.code)
                raise error
            if lease:
                return _make_variant(image, variant, lease["lease_token"])
        if time.monotonic() > deadline:
            raise VariantPendingError()
        time.sleep(POLL_SECONDS)
        image = find_image(image["id"], variant.name)


def _make_variant(image: db.Row, variant: variant_names.Variant, token: int) -> None:
    """Render and store a leased variant."""
    try:
        data = _render(image, variant)
    except (UnprocessableError, UnsupportedMediaTypeError) as error:
        # The image was decoded when it was uploaded, so it may not be the cause.
        facts = {"image_id": image["id"], "variant": variant.name}
        get_logger().warning("a picture could not be rendered", extra=facts, exc_info=error)
        variants.mark_failed(image["id"], variant.name, token, error.code)
        raise
    except AppError:
        variant_store.give_up(image["id"], variant.name, token)
        raise
    try:
        stored = variant_store.store(image["id"], variant.name, token, data, variant.mime_type)
    except StorageUnavailableError:
        variant_store.give_up(image["id"], variant.name, token)
        raise
    # After a database error the row may be ready, so the object stays. If it is not, the lease expires.
    if not stored:
        raise ImageNotFoundError()
    add_metric("Renders")


def _render(image: db.Row, variant: variant_names.Variant) -> bytes:
    with _source(image, variant) as source:
        size = image["width"], image["height"]
        return decoder.render(source, variant, get_settings().max_pixels, size)


@contextmanager
def _source(image: db.Row, variant: variant_names.Variant) -> Iterator[IO[bytes]]:
    """The intermediate if it exists and has enough pixels for the variant, else the original."""
    with ExitStack() as stack:
        source: IO[bytes] | None = None
        if variant.is_small and image["has_intermediate"]:
            key = variant_key(image["id"], variant_names.INTERMEDIATE)
            with suppress(ObjectMissingError):  # lost; a sweep reports it
                source = stack.enter_context(s3.downloaded(key, variant_names.INTERMEDIATE_MAX_BYTES))
        yield source or stack.enter_context(s3.downloaded(image["s3_key"], image["size_bytes"]))
