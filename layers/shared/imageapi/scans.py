"""A list as SQL: its order and its conditions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from imageapi import moments, searching
from imageapi.cursors import Position
from imageapi.keys import time_keys
from imageapi.listing import ListQuery
from imageapi.moments import END_OF_TIME, TimeRange, milliseconds_at, milliseconds_of, smallest_id
from imageapi.orders import ORDERS, TIERS, Order

ONLY_BITMAPS = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;"
"""For one statement. With a LIMIT, PostgreSQL would rather walk along any index until it has met so many
matches, of which it believes that there are more than there are.
"""


@dataclass
class Scan:
    """One tier of a list: its conditions, and the position after which it continues."""

    order: Order
    tier: int
    bounds: list[str]
    """Conditions on the id; only in an order of time, where the walked index serves them."""
    partition: list[str]
    """The condition on the category, within which each order has an index of its own."""
    partition_tokens: list[int]
    """The same for the inverted index."""
    narrowing: list[str]
    """Conditions that the inverted index serves; empty when it has nothing to narrow down by."""
    residual: list[str]
    """Conditions that each row is checked against."""
    values: dict[str, Any]
    position: Position | None
    earliest: int
    """Lower bound, ms since 1970, inclusive."""
    latest: int
    """Upper bound, ms since 1970, exclusive."""

    @property
    def forward(self) -> str:
        """What follows ORDER BY. Within a category it is an order that only the indexes there have.

        Along another one PostgreSQL would look for a category that it believes to be everywhere, though a
        million images of others may have come since.
        """
        if not self.partition:
            return self.order.forward
        # The index by id is one for both directions.
        return f"category {'DESC' if self.order.direction > 0 else 'ASC'}, {self.order.forward}"

    @property
    def checked(self) -> str:
        """What a row that the inverted index has found is checked against."""
        return " AND ".join([*self.partition, *self.residual]) or "TRUE"

    def sql(self, *conditions: str) -> str:
        """What follows WHERE: ready, within the bounds, after the position, and the given conditions."""
        after = [self.order.after] if self.position else []
        return " AND ".join(["status = 'ready'", *self.bounds, *conditions, *after])

    def parameters(self, **more: Any) -> dict[str, Any]:
        """The values for :meth:`sql`, and more."""
        where = {"key": self.position.key, "id": str(self.position.id)} if self.position else {}
        return {**self.values, **where, **more}

    def follows(self, position: Position, other: Position) -> bool:
        """Whether a position comes behind another one."""
        ahead, behind = (other, position) if self.order.is_ascending else (position, other)
        return (ahead.key, ahead.id) < (behind.key, behind.id)

    def next_range(self, milliseconds: int) -> TimeRange:
        """The time after the position, of at least that length where there is so much. Only for orders that
        follow time.
        """
        assert self.position
        now = milliseconds_of(self.position.id)
        if self.order.direction < 0:
            return moments.cover(max(self.earliest, now - milliseconds), now + 1)
        return moments.cover(now, min(self.latest, now + milliseconds + 1))

    def within(self, keys: Sequence[int], *conditions: str, **values: Any) -> "Scan":
        """The same among the rows alone that have one of these keys (see ``keys``) and fulfil the conditions.

        The index asks for the keys of the last call first: the few that are left ask less of those before.
        """
        name = f"keys{len(self.narrowing)}"
        has_key = f"image_list_keys(id, title_key, size_bytes) && %({name})s::bigint[]"
        return replace(
            self,
            narrowing=[*self.narrowing[:1], has_key, *self.narrowing[1:]],
            residual=[*self.residual, *conditions],
            values={**self.values, name: list(keys), **values},
        )

    def beyond(self, time_range: TimeRange) -> "Scan | None":
        """The same from the end of that time on; None when nothing is there."""
        if self.order.direction < 0:
            if time_range.start <= self.earliest:
                return None
            return replace(self, position=Position(self.tier, None, smallest_id(time_range.start)))
        if time_range.end >= self.latest:
            return None
        last = UUID(int=smallest_id(time_range.end).int - 1)
        return replace(self, position=Position(self.tier, None, last))


def make_scan(query: ListQuery, tier: int, position: Position | None, *, tiered: bool = True) -> Scan:
    """One tier of a list as SQL, from a position on.

    Args:
        tiered: False for all tiers at once.
    """
    order, values, tokens = ORDERS[query.sort], dict[str, Any](), list(_filter_tokens(query))
    bounds, earliest, latest = _time_bounds(query, values)
    residual = list(_residual_conditions(query, values))
    if query.terms:
        tiers = query.sort == "relevance" and tiered
        strong = tiers and TIERS[tier]
        tokens += searching.term_tokens(query.terms, strong=strong)
        residual += _term_conditions(query, values, tiers, strong)
    partition, partition_tokens = [], []
    if query.category is not None:
        # As one of several: of a constant PostgreSQL would know that it makes no difference to the order.
        condition = "category = ANY(%(category)s)"
        values["category"] = [query.category]
        token = searching.hash_token(f"c{query.category}")
        tokens.append(token)
        # Neighbours in time lie side by side: reading all costs less than reading those of a category.
        if order.direction and residual:
            residual.append(condition)
        else:
            partition, partition_tokens = [condition], [token]
    values["tokens"] = sorted(set(tokens))
    if not order.direction:
        residual += bounds
    scan = Scan(
        order,
        tier,
        bounds if order.direction else [],
        partition,
        partition_tokens,
        ["tokens @> %(tokens)s"] if tokens and residual else [],
        residual,
        values,
        position,
        earliest,
        latest,
    )
    return scan.within(time_keys(earliest, latest)) if bounds and residual else scan


def _time_bounds(query: ListQuery, values: dict[str, Any]) -> tuple[list[str], int, int]:
    """The conditions on the id, and the first millisecond in them and the first one behind them."""
    bounds: list[str] = []
    earliest, latest = 0, END_OF_TIME
    if query.created_after:
        earliest = milliseconds_at(query.created_after)
        bounds.append("id >= %(after)s")
        values["after"] = str(smallest_id(earliest))
    if query.created_before:
        latest = milliseconds_at(query.created_before)
        bounds.append("id < %(before)s")
        values["before"] = str(smallest_id(latest))
    return bounds, earliest, latest


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
