"""The conditions of a list, as SQL on ``image_metadata AS image`` and as GIN index tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from imageapi.database import db
from imageapi.model.ids import MAX_MILLISECONDS, milliseconds_of, smallest_id
from imageapi.search import tokens
from imageapi.search.list_parameters import ListQuery, Range
from imageapi.search.sort_orders import ORDERS, Order


@dataclass(frozen=True)
class Conditions:
    """The conditions of a list, or of one of its tiers.

    Attributes:
        bounds: conditions on the id, which begins with the time.
        category: the condition on the category, if any.
        checks: all other conditions.
        tokens: tokens that each image of the list has.
        values: the parameters of the conditions.
        earliest: start of the range in ``bounds``, in milliseconds since 1970, inclusive.
        latest: its end, exclusive.
    """

    order: Order
    bounds: list[str]
    category: list[str]
    checks: list[str]
    tokens: list[int]
    values: dict[str, Any]
    earliest: int
    latest: int

    @property
    def follows_index(self) -> bool:
        """Whether the list is one range of the index of its order or category."""
        return not self.checks and not (self.bounds and self.order.key)

    @property
    def all(self) -> str:
        """All conditions, against which each candidate is checked."""
        return " AND ".join([*self.bounds, *self.category, *self.checks]) or "TRUE"

    def index_condition(self, times: list[int] | None, *extra_tokens: int) -> tuple[str, dict[str, Any]]:
        """The condition that an index serves, with its parameters; TRUE without tokens.

        Args:
            times: time tokens; an image must have one of them. None for any time.
            extra_tokens: further tokens that it must have.
        """
        if self.values["hashes"]:
            # More selective than any token, and served by its own index.
            return "image.sha256 = ANY(%(hashes)s)", {}
        required = [*self.tokens, *extra_tokens]
        conditions = ["image.tokens @> %(tokens)s"] if required else []
        conditions += ["image.tokens && %(times)s"] if times is not None else []
        return " AND ".join(conditions) or "TRUE", {"tokens": required, "times": times}


def make_conditions(query: ListQuery, strong: bool | None = None) -> Conditions:
    """The conditions of a list.

    Args:
        strong: True for images with all words in title and tags, False for the rest, None for all.
    """
    values: dict[str, Any] = {}
    bounds, category = [], []
    earliest, latest = 0, MAX_MILLISECONDS
    if query.created.lowest is not None:
        earliest = max(0, query.created.lowest)
        values["earliest"] = str(smallest_id(earliest))
        bounds.append("image.id >= %(earliest)s")
    if query.created.highest is not None:
        latest = max(0, query.created.highest + 1)
        values["latest"] = str(smallest_id(latest))
        bounds.append("image.id < %(latest)s")
    values["hashes"] = [bytes.fromhex(text) for text in query.hashes]
    required = {*_filter_tokens(query), *tokens.term_tokens(query.terms, strong=strong is True)}
    if query.category is not None:
        required.add(tokens.hash_token(f"c{query.category}"))
        values["category"] = [query.category]
        # With = instead of ANY, PostgreSQL would drop the constant category from ORDER BY, and might scan
        # all images (see scan_index).
        category.append("image.category = ANY(%(category)s)")
    checks = [*_filter_checks(query, values), *_term_checks(query, values, strong)]
    order = ORDERS[query.sort]
    return Conditions(order, bounds, category, checks, sorted(required), values, earliest, latest)


def find_times(conditions: Conditions) -> list[int] | None:
    """Time tokens: each image of a list has one of them. None if its bounds are missing or too wide. One
    statement narrows an open or distant bound to the first or last image.
    """
    if not conditions.bounds:
        return None
    times = _cover(conditions.earliest, conditions.latest)
    if times is None:
        (ends,) = db.query(
            """SELECT (SELECT id FROM image_metadata ORDER BY id LIMIT 1) AS first,
                      (SELECT id FROM image_metadata ORDER BY id DESC LIMIT 1) AS last"""
        )
        if not ends["first"]:
            return []
        first, last = (milliseconds_of(UUID(ends[name])) for name in ("first", "last"))
        times = _cover(max(conditions.earliest, first), min(conditions.latest, last + 1))
    return times


def _cover(start: int, end: int) -> list[int] | None:
    return tokens.cover_time(start, end).tokens if start < end else []


def _filter_tokens(query: ListQuery) -> Iterator[int]:
    yield from (tokens.hash_token(f"t{tag}") for tag in query.tags)
    if query.mime_type:
        yield tokens.hash_token(f"m{query.mime_type}")
    for name, prefix in (("width", "w"), ("height", "h")):
        yield from tokens.side_tokens(prefix, query.ranges.get(name, Range()).lowest or 0)[-1:]


def _filter_checks(query: ListQuery, values: dict[str, Any]) -> Iterator[str]:
    filters = {
        "tags": (list(query.tags), "image.tag_keys @> %(tags)s"),
        "mime_type": (query.mime_type, "image.mime_type = %(mime_type)s"),
        "hashes": (values["hashes"], "image.sha256 = ANY(%(hashes)s)"),
    }
    for column, bounds in query.ranges.items():
        filters[f"{column}_lowest"] = (bounds.lowest, f"image.{column} >= %({column}_lowest)s")
        filters[f"{column}_highest"] = (bounds.highest, f"image.{column} <= %({column}_highest)s")
    for name, (value, condition) in filters.items():
        if value or value == 0:
            values[name] = value
            yield condition


def _term_checks(query: ListQuery, values: dict[str, Any], strong: bool | None) -> list[str]:
    anywhere, in_strong = [], []
    for index, term in enumerate(query.terms):
        values[f"term{index}"] = term.needle
        place = f"strpos(image.search_text, %(term{index})s)"
        anywhere.append(f"{place} > 0")
        in_strong.append(f"{place} BETWEEN 1 AND image.strong_length - {len(term.needle) - 1}")
    if strong is None or not query.terms:
        return anywhere
    return in_strong if strong else [*anywhere, f"NOT ({' AND '.join(in_strong)})"]
