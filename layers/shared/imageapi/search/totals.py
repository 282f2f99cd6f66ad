"""How many images a list has, as Elasticsearch's ``total`` has it: exact, or at least so many."""

from typing import Any

from imageapi import db
from imageapi.catalog import facets
from imageapi.search.conditions import Conditions, make_conditions
from imageapi.search.query import ListQuery
from imageapi.search.tokens import SAMPLE, SAMPLED_OF, hash_token

MAX_COUNTED = 10_000
"""How many images are counted one by one."""
MAX_STATEMENTS = 2


def count_images(query: ListQuery) -> dict[str, Any]:
    """``{"value": int, "relation": "exact" | "at_least"}``, with MAX_STATEMENTS at most."""
    conditions = make_conditions(query)
    if facet := _find_facet(query, conditions):
        return {"value": facets.count_images(*facet), "relation": "exact"}
    if conditions.checks and is_far_beyond(conditions, MAX_COUNTED):
        return {"value": MAX_COUNTED, "relation": "at_least"}
    candidates, images = _count(conditions, MAX_COUNTED + 1)
    is_exact = candidates <= MAX_COUNTED
    return {"value": min(images, MAX_COUNTED), "relation": "exact" if is_exact else "at_least"}


def is_far_beyond(conditions: Conditions, images: int) -> bool:
    """Whether clearly more than ``images`` match, by a sample. False also when it cannot tell: when about
    twice as many do.
    """
    limit = max(1, 2 * images // SAMPLED_OF)
    candidates, _ = _count(conditions, limit, hash_token(SAMPLE))
    return candidates >= limit


def _find_facet(query: ListQuery, conditions: Conditions) -> tuple[facets.Kind, str] | None:
    """The facet that counts the whole list, if there is one."""
    filters = len(conditions.bounds) + len(conditions.category) + len(conditions.checks)
    if filters == 0:
        return "all", ""
    if filters == 1 and query.category is not None:
        return "category", query.category
    if filters == 1 and len(query.tags) == 1:
        return "tag", query.tags[0]
    return None


def _count(conditions: Conditions, most: int, *more: int) -> tuple[int, int]:
    """How many candidates there are, up to ``most``, and how many of them match. ``more``: further tokens."""
    where, values = conditions.narrow(conditions.times, *more)
    if not conditions.checks and not more:  # an index has exactly these
        where = conditions.all
    (counted,) = db.query(
        f"""SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images
            FROM (SELECT ({conditions.all}) AS hit FROM image_metadata AS image WHERE {where} LIMIT %(most)s)
                AS candidates""",
        {**conditions.values, **values, "most": most},
    )
    return counted["candidates"], counted["images"]
