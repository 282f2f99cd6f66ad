"""The query parameters of a list, checked and parsed. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imageapi.model.parameters import (
    InvalidParameterError,
    check_known,
    parse_flag,
    parse_limit,
    parse_pixels,
    parse_time,
    single,
    wants_permanent_links,
)
from imageapi.model.text import normalise_tag
from imageapi.model.variant_names import parse_names
from imageapi.search import tokens
from imageapi.search.sort_orders import ORDERS

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_TAG_FILTERS = 10
MAX_VALUE_LENGTH = 1_000
MAX_CURSOR_LENGTH = 4_000
FILTERS = {"category", "tag", "q", "created_after", "created_before", "mime_type", "min_width", "min_height"}
PARAMETERS = FILTERS | {"limit", "cursor", "sort", "total", "variants", "links", "trashed"}
REPEATABLE = frozenset({"tag"})


@dataclass(frozen=True)
class ListQuery:
    """A checked request. ``None`` and empty mean any."""

    limit: int = DEFAULT_LIMIT
    sort: str = "newest"
    category: str | None = None
    tags: tuple[str, ...] = ()
    created_after: datetime | None = None
    """Inclusive, to the millisecond."""
    created_before: datetime | None = None
    """Exclusive, to the millisecond."""
    mime_type: str | None = None
    min_width: int | None = None
    min_height: int | None = None
    total: bool = False
    terms: tuple[tokens.Term, ...] = ()
    variants: tuple[str, ...] = ()
    """Names of variants to add links for."""
    permanent_links: bool = False

    @property
    def filters(self) -> dict[str, Any]:
        """Everything that determines the list's images and order; a cursor is bound to it."""
        return {
            "sort": self.sort,
            "category": self.category,
            "tags": sorted(self.tags),
            "q": [term.text for term in self.terms],
            "created": [self.created_after, self.created_before],
            "mime_type": self.mime_type,
            "min": [self.min_width, self.min_height],
        }


def parse_list_parameters(parameters: Mapping[str, Sequence[str]]) -> ListQuery:
    """Parse query parameters, each name with all its values.

    Raises:
        InvalidRequestError: ``parameter_unknown``, ``parameter_repeated``, ``parameter_invalid`` (with
            ``details.parameter``), ``limit_invalid``.
    """
    check_known(parameters, PARAMETERS)
    one = single(parameters, REPEATABLE)
    for name, values in parameters.items():
        for value in values:
            _check_text(name, value)
    terms, category = _parse_q(one.get("q")), one.get("category")
    return ListQuery(
        limit=parse_limit(one.get("limit"), DEFAULT_LIMIT, MAX_LIMIT),
        sort=_parse_sort(one.get("sort"), bool(terms)),
        category=None if category is None else unicodedata.normalize("NFC", category).strip(),
        tags=_parse_tags(parameters.get("tag", ())),
        created_after=parse_time("created_after", one.get("created_after")),
        created_before=parse_time("created_before", one.get("created_before")),
        mime_type=_parse_mime_type(one.get("mime_type")),
        min_width=parse_pixels("min_width", one.get("min_width")),
        min_height=parse_pixels("min_height", one.get("min_height")),
        total=parse_flag("total", one.get("total")),
        terms=terms,
        variants=parse_names(one.get("variants")),
        permanent_links=wants_permanent_links(one.get("links")),
    )


def _check_text(name: str, value: str) -> None:
    longest = MAX_CURSOR_LENGTH if name == "cursor" else MAX_VALUE_LENGTH
    if "\0" in value or len(value) > longest or value != value.encode("utf-8", "ignore").decode():
        raise InvalidParameterError(name, "is too long or contains invalid characters")


def _parse_q(text: str | None) -> tuple[tokens.Term, ...]:
    if text is None:
        return ()
    if len(text) > tokens.MAX_QUERY_LENGTH:
        raise InvalidParameterError("q", f"is longer than {tokens.MAX_QUERY_LENGTH} characters")
    terms = tokens.parse_terms(text)
    if not terms:
        raise InvalidParameterError("q", "must contain a letter or a digit")
    if len(terms) > tokens.MAX_TERMS:
        raise InvalidParameterError("q", f"has more than {tokens.MAX_TERMS} words")
    return tuple(terms)


def _parse_sort(text: str | None, has_terms: bool) -> str:
    sort = text or ("relevance" if has_terms else "newest")
    if sort not in ORDERS:
        raise InvalidParameterError("sort", f"must be one of {', '.join(ORDERS)}")
    if sort == "relevance" and not has_terms:
        raise InvalidParameterError("sort", "can be relevance only together with q")
    return sort


def _parse_tags(values: Sequence[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(normalise_tag(value) for value in values))
    if len(tags) > MAX_TAG_FILTERS or "" in tags:
        raise InvalidParameterError("tag", f"must be 1 to {MAX_TAG_FILTERS} tags")
    return tags


def _parse_mime_type(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"image/[a-z0-9.+-]{1,40}", text):
        raise InvalidParameterError("mime_type", "must be a media type, for example image/jpeg")
    return text
