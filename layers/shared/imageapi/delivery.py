"""Delivery: a signed link becomes a redirect to a presigned URL; renditions are made when first asked for."""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imageapi import db, links, signing, storage, variants
from imageapi.config import get_settings
from imageapi.errors import AppError, DatabaseUnavailableError, ImageNotFoundError, StorageUnavailableError
from imageapi.filenames import content_disposition
from imageapi.images import parse_id
from imageapi.logs import get_logger
from imageapi.metrics import add_metric

MAX_URL_SECONDS = 3600
"""A presigned URL is valid for no longer than this, however long the link is."""
CLAIM_SECONDS = 30
"""For so long one request may render; then another may try. Longer than the function's Timeout."""
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Delivery:
    """Where to go, and the Cache-Control of that."""

    url: str
    cache_control: str


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
    """
    settings = get_settings()
    links.verify_link(
        image_id, variant, query.get("e"), query.get("s"), now=time.time(), keys=settings.secret_keys
    )
    wanted = None if variant == variants.ORIGINAL else variants.parse_variant(variant, accept)
    image = _find_ready(parse_id(image_id), wanted.name if wanted else variant)
    if wanted and wanted.extension == "avif" and image["frames"] > 1 and not variant.endswith(".avif"):
        # Only WebP renditions move: they are shown of an animation where the client leaves the choice.
        wanted = variants.parse_variant(variant, (accept or "").replace("image/avif", ""))
        image = _find_ready(image["id"], wanted.name)
    if wanted is None:
        key, mime_type, filename = image["s3_key"], image["mime_type"], image["filename"]
    else:
        if image["variant_status"] != "ready":
            _ensure_variant(image, wanted)
        key, mime_type = storage.variant_key(image_id, wanted.name), wanted.mime_type
        filename = f"{image['filename'].rpartition('.')[0] or image['filename']}.{wanted.extension}"
    # Counted from now: a rendition may have taken its time.
    seconds = signing.limit_lifetime(max(1, min(int(query["e"]) - int(time.time()), MAX_URL_SECONDS)))
    url = signing.presign_url(
        method,
        key,
        expires_in=seconds,
        content_type=mime_type,
        disposition=content_disposition(filename, download=query.get("download") == "1"),
        cache_control=f"private, max-age={seconds}, immutable",
    )
    # Both the link and the URL must outlive what a cache remembers of them. What is signed for HEAD is of no
    # use to the GET that the same cache may answer.
    remembered = f"private, max-age={max(0, seconds - 60)}" if method == "GET" else "no-store"
    return Delivery(url, remembered)


def _find_ready(image_id: str, variant_name: str) -> db.Row:
    rows = db.query(
        """SELECT image.id, image.s3_key, image.mime_type, image.filename, image.size_bytes, image.frames,
                  variant.status AS variant_status
           FROM image_metadata AS image
           LEFT JOIN image_variants AS variant ON variant.image_id = image.id AND variant.name = %s
           WHERE image.id = %s AND image.status = 'ready'""",
        (variant_name, image_id),
    )
    if not rows:
        raise ImageNotFoundError()
    return rows[0]


def _ensure_variant(image: db.Row, variant: variants.Variant) -> None:
    """Render, or wait for the request that is rendering it already."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not _claim(image["id"], variant.name):
        if _find_ready(image["id"], variant.name)["variant_status"] == "ready":
            return
        if time.monotonic() > deadline:
            raise StorageUnavailableError("The rendition is still being made. Try again.")
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
        _give_up(image["id"], variant.name)
        raise


def _give_up(image_id: str, name: str) -> None:
    """Let the next request try. A put that failed may have been stored all the same, so the object goes
    first.
    """
    with suppress(AppError):  # then the claim runs out, and a sweep removes both
        storage.delete_objects([storage.variant_key(image_id, name)])
        db.query(
            "DELETE FROM image_variants WHERE image_id = %s AND name = %s AND status = 'pending'",
            (image_id, name),
        )


def _claim(image_id: str, name: str) -> bool:
    """Become the one that renders. The row comes first: the object that follows always has one."""
    claimed: list[dict[str, Any]] = db.query(
        """INSERT INTO image_variants AS variant (image_id, name, claimed_until)
           SELECT id, %(name)s, now() + make_interval(secs => %(seconds)s)
           FROM image_metadata WHERE id = %(id)s AND status = 'ready'
           ON CONFLICT (image_id, name) DO UPDATE SET claimed_until = excluded.claimed_until
           WHERE variant.status = 'pending' AND variant.claimed_until < now()
           RETURNING name""",
        {"id": image_id, "name": name, "seconds": CLAIM_SECONDS},
    )
    return bool(claimed)


def _render(image: db.Row, variant: variants.Variant) -> None:
    from imageapi import rendering  # only who renders pays for Pillow

    with storage.downloaded(image["s3_key"], max_bytes=image["size_bytes"]) as source:
        data = rendering.render(source, variant, get_settings().max_pixels)
    key = storage.variant_key(image["id"], variant.name)
    storage.put_object(key, data, content_type=variant.mime_type, sha256=hashlib.sha256(data).digest())
    kept = db.query(
        """UPDATE image_variants AS variant SET status = 'ready'
           FROM image_metadata AS image
           WHERE image.id = variant.image_id AND image.status = 'ready'
             AND variant.image_id = %s AND variant.name = %s RETURNING variant.name""",
        (image["id"], variant.name),
    )
    if not kept:  # deleted meanwhile, perhaps after its renditions were looked for
        storage.delete_objects([key])
        raise ImageNotFoundError()
    add_metric("Renders")
