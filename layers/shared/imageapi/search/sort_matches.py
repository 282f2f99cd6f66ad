"""Plan (b) by title or size, or for some hashes: sort all matches."""

from imageapi.database import db
from imageapi.errors import UnprocessableError
from imageapi.search import counts
from imageapi.search.conditions import Conditions, find_times
from imageapi.search.cursors import Position
from imageapi.search.list_parameters import ListQuery
from imageapi.search.sort_orders import sorts_by_time
from imageapi.search.statements import place_values, select

MAX_SORTED = 5_000
"""Maximum number of matches that are sorted."""


def sort_matches(
    query: ListQuery, conditions: Conditions, position: Position | None, wanted: int
) -> list[db.Row]:
    """The rows after a position, up to ``wanted``.

    Raises:
        UnprocessableError: ``too_many_to_sort``; ``details.sorts`` lists orders that always work.
    """
    times = find_times(conditions)
    if query.hashes or not counts.is_far_beyond(conditions, times, MAX_SORTED):
        order, max_rows = conditions.order, counts.CANDIDATES_FACTOR * MAX_SORTED
        indexed, values = conditions.index_condition(times)
        rows, facts = select(
            f"""SELECT {", ".join(order.columns)}, ({conditions.all}) AS is_match,
                       ({conditions.all} AND {order.after if position else "true"}) AS hit
                FROM image_metadata AS image WHERE {indexed} LIMIT %(max_rows)s""",
            "(SELECT count(*) FROM candidates WHERE is_match) AS matches",
            order,
            {**conditions.values, **values, **place_values(position), "max_rows": max_rows, "wanted": wanted},
        )
        if facts["matches"] <= MAX_SORTED and facts["candidates"] < max_rows:
            return rows
    sorts = [] if query.hashes else sorts_by_time(has_terms=bool(query.terms))
    otherwise = f", or sort by {' or '.join(sorts)}" if sorts else ""
    raise UnprocessableError(
        f"More than {MAX_SORTED:,} images match, too many to sort by {query.sort}. Add a filter{otherwise}.",
        code="too_many_to_sort",
        details={"max": MAX_SORTED, "sorts": sorts},
    )
