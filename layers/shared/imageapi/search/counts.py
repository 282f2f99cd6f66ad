"""The total of a list, as in Elasticsearch: exact, or a lower bound."""

from typing import Any

from imageapi.catalog import facets
from imageapi.database import db
from imageapi.search.conditions import Conditions, find_times, make_conditions
from imageapi.search.list_parameters import ListQuery
from imageapi.search.tokens import SAMPLE, SAMPLED_OF, hash_token

MAX_COUNTED = 10_000
"""Maximum number of images that are counted individually."""
CANDIDATES_FACTOR = 3
"""Candidates read per match: time tokens cover up to three times the range."""
STATEMENTS = 3
"""Maximum number of statements per total."""


def count_images(query: ListQuery) -> dict[str, Any]:
    """``{"value": int, "relation": "exact" | "at_least"}``."""
    conditions = make_conditions(query)
    if facet := _find_facet(query, conditions):
        return {"value": facets.count_images(*facet), "relation": "exact"}
    times = find_times(conditions)
    if conditions.checks and not query.hashes and is_far_beyond(conditions, times, MAX_COUNTED):
        return {"value": MAX_COUNTED, "relation": "at_least"}
    images, is_exact = _count(conditions, times, MAX_COUNTED)
    return {"value": images, "relation": "exact" if is_exact else "at_least"}


def is_far_beyond(conditions: Conditions, times: list[int] | None, images: int) -> bool:
    """Whether a sample suggests about twice ``images`` matches or more. False does not exclude that."""
    enough = max(1, 2 * images // SAMPLED_OF)
    found, _ = _count(conditions, times, enough, hash_token(SAMPLE))
    return found >= enough


def _find_facet(query: ListQuery, conditions: Conditions) -> tuple[facets.Kind, str] | None:
    """The facet that counts the whole list, if any."""
    filters = len(conditions.bounds) + len(conditions.category) + len(conditions.checks)
    if filters == 0:
        return "all", ""
    if filters == 1 and query.category is not None:
        return "category", query.category
    if filters == 1 and len(query.tags) == 1:
        return "tag", query.tags[0]
    return None


def _count(conditions: Conditions, times: list[int] | None, limit: int, *extra: int) -> tuple[int, bool]:
    """The number of matches, up to ``limit``, and whether it is exact. ``extra``: required tokens."""
    where, values = conditions.index_condition(times, *extra)
    candidates = CANDIDATES_FACTOR * limit
    if not conditions.checks and not extra:  # an index serves exactly these
        where, candidates = conditions.all, limit + 1
    (counted,) = db.query(
        f"""SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images
            FROM (SELECT ({conditions.all}) AS hit FROM image_metadata AS image WHERE {where}
                  LIMIT %(candidates)s) AS candidates""",
        {**conditions.values, **values, "candidates": candidates},
    )
    is_all = counted["images"] <= limit and counted["candidates"] < candidates
    return min(counted["images"], limit), is_all
