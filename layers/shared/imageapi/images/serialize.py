"""Images in the API: JSON values with new links."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from imageapi.config.settings import get_settings
from imageapi.delivery import links
from imageapi.model.metadata import FIELDS
from imageapi.model.times import show_time
from imageapi.model.variant_names import LINKED, parse_variant

_COLUMNS = (
    *("id", "version", *FIELDS, "filename", "s3_key", "mime_type", "size_bytes", "width", "height", "frames"),
    *("sha256", "duplicate_of", "placeholder", "exif"),
)


class LinkOptions(NamedTuple):
    """The links of an image in a response.

    Attributes:
        variants: the names of the entries in ``variants``.
        permanent: use permanent links instead of links that expire.
    """

    variants: tuple[str, ...] = ()
    permanent: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "LinkOptions":
        """Read the query parameters ``variants`` and ``links``."""
        return cls(tuple(dict.fromkeys(parameters["variants"])), parameters["links"] == "permanent")


DEFAULT_LINKS = LinkOptions()
"""Links that expire, and no variants."""


def serialize_image(
    row: Mapping[str, Any], base_url: str, options: LinkOptions = DEFAULT_LINKS
) -> dict[str, Any]:
    """Image in openapi.json, from a row."""
    sign = _make_signer(row, base_url, permanent=options.permanent)
    variants = []
    for name in options.variants:
        width, height = parse_variant(name, None).fit((row["width"], row["height"]))
        variants.append({"name": name, "width": width, "height": height, "url": sign(name)})
    urls = {name: sign(variant) for name, variant in LINKED.items()}
    return _serialize_columns(row) | {"urls": urls, "variants": variants}


def serialize_trashed(row: Mapping[str, Any]) -> dict[str, Any]:
    """TrashedImage in openapi.json, from a row of the trash."""
    times = {"trashed_at": show_time(row["trashed_at"]), "purge_at": show_time(row["purge_after"])}
    return _serialize_columns(row) | times


def _make_signer(row: Mapping[str, Any], base_url: str, *, permanent: bool) -> Callable[[str], str]:
    """A function that returns the link of a variant's name."""
    settings = get_settings()
    if permanent:
        validity = links.Validity(version=row["link_version"])
    else:
        validity = links.Validity(expires=links.expires_at(time.time(), settings.link_ttl))

    def sign(variant: str) -> str:
        return base_url + links.sign_link(
            row["id"], variant, validity, keys=settings.secret_keys, is_animated=row["frames"] > 1
        )

    return sign


def _serialize_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: show_time(row[name]) for name in ("created_at", "updated_at")}
    return {name: row[name] for name in _COLUMNS} | times


def serialize_analysis(row: Mapping[str, Any]) -> dict[str, Any]:
    """Analysis in openapi.json, from a row of ``catalog.analyses``. Unknown values are empty or null."""
    columns = ("status", "failure", "caption", "tags", "text_seen", "safety", "model")
    return {name: row[name] for name in columns} | {"analyzed_at": show_time(row["analyzed_at"])}
