"""Parse the query parameters of a list. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imageapi.model.ids import MAX_MILLISECONDS, microseconds_at
from imageapi.model.schemas import InvalidParameterError
from imageapi.model.text import normalise_tag
from imageapi.search import tokens

DEFAULT_LIMIT = 50
RANGES = ("width", "height", "size_bytes")
"""Numbers, besides the time, that a list can filter by."""
NEWEST, RELEVANCE = "-created_at", "relevance"


@dataclass(frozen=True)
class Range:
    """The integers from ``lowest`` to ``highest``, inclusive; None for an open bound."""

    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True)
class ListQuery:
    """A checked request. ``None`` and empty values mean any.

    Attributes:
        created: in milliseconds since 1970.
        ranges: by name from RANGES.
    """

    limit: int = DEFAULT_LIMIT
    sort: str = NEWEST
    category: str | None = None
    tags: tuple[str, ...] = ()
    mime_type: str | None = None
    hashes: tuple[str, ...] = ()
    created: Range = Range()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    terms: tuple[tokens.Term, ...] = ()
    total: bool = False

    @property
    def filters(self) -> dict[str, Any]:
        """The values that determine the list's images and order. A cursor belongs to them."""
        return {
            "sort": self.sort,
            "category": self.category,
            "tags": sorted(self.tags),
            "mime_type": self.mime_type,
            "sha256": sorted(self.hashes),
            "created": str(self.created),
            "ranges": {name: str(bounds) for name, bounds in self.ranges.items()},
            "q": [term.text for term in self.terms],
        }


def make_query(parameters: Mapping[str, Any]) -> ListQuery:
    """The request of ``listImages``.

    Args:
        parameters: the result of ``model.parameters.parse_query``.

    Raises:
        InvalidParameterError: a value is invalid, although it matches openapi.json.
    """
    terms, category, hashes = _parse_q(parameters["q"]), parameters["category"], parameters["sha256"]
    if terms and hashes:
        raise InvalidParameterError("sha256", "value", "cannot be combined with q")
    ranges = {name: _make_range(name, parameters) for name in RANGES}
    return ListQuery(
        limit=parameters["limit"],
        sort=_parse_sort(parameters["sort"], bool(terms)),
        category=None if category is None else unicodedata.normalize("NFC", category).strip(),
        tags=_parse_tags(parameters["tags"]),
        mime_type=parameters["mime_type"],
        hashes=tuple(dict.fromkeys(text.lower() for text in hashes)),
        created=_make_time_range(parameters),
        ranges={name: bounds for name, bounds in ranges.items() if bounds != Range()},
        terms=terms,
        total=parameters["total"],
    )


def _make_range(name: str, parameters: Mapping[str, Any]) -> Range:
    least, above, most, below = (parameters[f"{name}.{bound}"] for bound in ("gte", "gt", "lte", "lt"))
    return _intersect(least, above, most, below)


def _make_time_range(parameters: Mapping[str, Any]) -> Range:
    """Rounds times of the request: times of images are whole milliseconds."""

    def floor(name: str) -> int | None:
        moment: datetime | None = parameters[f"created_at.{name}"]
        return None if moment is None else min(microseconds_at(moment) // 1000, MAX_MILLISECONDS)

    def ceil(name: str) -> int | None:
        moment: datetime | None = parameters[f"created_at.{name}"]
        return None if moment is None else min(-(-microseconds_at(moment) // 1000), MAX_MILLISECONDS)

    return _intersect(ceil("gte"), floor("gt"), floor("lte"), ceil("lt"))


def _intersect(least: int | None, above: int | None, most: int | None, below: int | None) -> Range:
    lower = [bound for bound in (least, None if above is None else above + 1) if bound is not None]
    upper = [bound for bound in (most, None if below is None else below - 1) if bound is not None]
    return Range(max(lower, default=None), min(upper, default=None))


def _parse_q(text: str | None) -> tuple[tokens.Term, ...]:
    if text is None:
        return ()
    terms = tokens.parse_terms(text)
    if not terms:
        raise InvalidParameterError("q", "value", "must contain a letter or a digit")
    if len(terms) > tokens.MAX_TERMS:
        raise InvalidParameterError(
            "q", "too_many", f"must have at most {tokens.MAX_TERMS} words", max=tokens.MAX_TERMS
        )
    return tuple(terms)


def _parse_sort(sort: str | None, has_terms: bool) -> str:
    if sort == RELEVANCE and not has_terms:
        raise InvalidParameterError("sort", "value", "can be relevance only with q")
    return sort or (RELEVANCE if has_terms else NEWEST)


def _parse_tags(values: Sequence[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(normalise_tag(value) for value in values))
    if "" in tags:
        raise InvalidParameterError("tags", "value", "must have a letter or a digit in each tag")
    return tags
