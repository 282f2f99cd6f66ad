"""A list as SQL: its order and its conditions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from imageapi import moments, searching
from imageapi.cursors import Position
from imageapi.listing import ListQuery
from imageapi.moments import END_OF_TIME, TimeRange, milliseconds_at, milliseconds_of, smallest_id
from imageapi.orders import ORDERS, TIERS, Order


@dataclass
class Scan:
    """One tier of a list: its conditions, and the position after which it continues."""

    NARROWING: ClassVar[str] = "tokens @> %(tokens)s"
    """The condition for the inverted index; only where ``values`` has ``tokens``."""

    order: Order
    tier: int
    bounds: list[str]
    """Conditions on the id."""
    partition: list[str]
    """The condition on the category, in which each order has an index of its own; the inverted index has a
    token for it.
    """
    residual: list[str]
    """Conditions that each row is checked against."""
    values: dict[str, Any]
    position: Position | None
    earliest: int
    """Lower bound, ms since 1970, inclusive."""
    latest: int
    """Upper bound, ms since 1970, exclusive."""

    def sql(self, *conditions: str) -> str:
        """What follows WHERE: ready, within the bounds, after the position, and the given conditions."""
        after = [self.order.after] if self.position else []
        return " AND ".join(["status = 'ready'", *self.bounds, *conditions, *after])

    def parameters(self, **more: Any) -> dict[str, Any]:
        """The values for :meth:`sql`, and more."""
        where = {"key": self.position.key, "id": str(self.position.id)} if self.position else {}
        return {**self.values, **where, **more}

    def next_range(self, milliseconds: int) -> TimeRange | None:
        """The time after the position, of at least that length where there is so much; None when it is too
        long for buckets. Only for orders that follow time.
        """
        assert self.position
        now = milliseconds_of(self.position.id)
        if self.order.direction < 0:
            return moments.cover(max(self.earliest, now - milliseconds), now + 1)
        return moments.cover(now, min(self.latest, now + milliseconds + 1))

    def within(self, time_range: TimeRange) -> "Scan":
        """The same in that time alone; the inverted index serves it."""
        condition = "image_time_buckets(id) && %(buckets)s::bigint[]"
        return replace(
            self, bounds=[*self.bounds, condition], values={**self.values, "buckets": time_range.keys}
        )

    def beyond(self, time_range: TimeRange) -> "Scan | None":
        """The same from the end of that time on; None when nothing is there."""
        if self.order.direction < 0:
            is_end, border = time_range.start <= self.earliest, smallest_id(time_range.start)
        else:
            is_end, border = time_range.end >= self.latest, UUID(int=smallest_id(time_range.end).int - 1)
        return None if is_end else replace(self, position=Position(self.tier, None, border))


def make_scan(query: ListQuery, tier: int, position: Position | None, *, tiered: bool = True) -> Scan:
    """One tier of a list as SQL, from a position on.

    Args:
        tiered: False for all tiers at once.
    """
    values: dict[str, Any] = {}
    bounds: list[str] = []
    residual: list[str] = []
    earliest, latest = 0, END_OF_TIME
    if query.created_after:
        earliest = milliseconds_at(query.created_after)
        bounds.append("id >= %(after)s")
        values["after"] = str(smallest_id(earliest))
    if query.created_before:
        latest = milliseconds_at(query.created_before)
        bounds.append("id < %(before)s")
        values["before"] = str(smallest_id(latest))
    tokens = list(_filter_tokens(query))
    partition = [] if query.category is None else ["category = %(category)s"]
    if query.category is not None:
        values["category"] = query.category
        tokens.append(searching.hash_token(f"c{query.category}"))
    residual += _residual_conditions(query, values)
    if query.terms:
        tiers = query.sort == "relevance" and tiered
        strong = tiers and TIERS[tier]
        tokens += searching.term_tokens(query.terms, strong=strong)
        residual += _term_conditions(query, values, tiers, strong)
    if tokens and residual:
        values["tokens"] = sorted(set(tokens))
    return Scan(ORDERS[query.sort], tier, bounds, partition, residual, values, position, earliest, latest)


def _filter_tokens(query: ListQuery) -> Iterator[int]:
    yield from (searching.hash_token(f"t{tag}") for tag in query.tags)
    if query.mime_type:
        yield searching.hash_token(f"m{query.mime_type}")
    yield from searching.side_token("w", query.min_width or 0)
    yield from searching.side_token("h", query.min_height or 0)


def _residual_conditions(query: ListQuery, values: dict[str, Any]) -> Iterator[str]:
    if query.tags:
        values["tags"] = list(query.tags)
        yield "tag_keys @> %(tags)s"
    if query.mime_type:
        values["mime_type"] = query.mime_type
        yield "mime_type = %(mime_type)s"
    if query.min_width:
        values["min_width"] = query.min_width
        yield "width >= %(min_width)s"
    if query.min_height:
        values["min_height"] = query.min_height
        yield "height >= %(min_height)s"


def _term_conditions(query: ListQuery, values: dict[str, Any], tiers: bool, strong: bool) -> list[str]:
    anywhere, in_strong = [], []
    for index, term in enumerate(query.terms):
        values[f"term{index}"] = term.needle
        place = f"strpos(search_text, %(term{index})s)"
        anywhere.append(f"{place} > 0")
        in_strong.append(f"{place} BETWEEN 1 AND strong_length - {len(term.needle) - 1}")
    if not tiers:
        return anywhere
    return in_strong if strong else [*anywhere, f"NOT ({' AND '.join(in_strong)})"]
