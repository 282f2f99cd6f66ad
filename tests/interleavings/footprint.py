"""What a call to a store reads and writes, so that orders which cannot differ are run only once.

Wrong guesses on the safe side cost time: two calls that are taken to conflict are run in both orders.
"""

import re
from typing import NamedTuple

from tests.integration.stores import SCHEMA, TABLES

FEED = {table for table in TABLES if table.startswith("changes")}
CAUSED = {
    "image_metadata": {"image_variants", "image_analysis", *FEED},
    "trashed_images": FEED,
    "image_analysis": FEED,
}
"""What else a change of a table changes, by triggers and foreign keys."""
IGNORED = {"facet_changes", "facet_counts", "sweep_progress", "api_keys", "webhooks"}
"""What no operation here decides by, and no check reads."""
_BODIES = dict(
    re.findall(
        r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?\$\$(.*?)\$\$",
        SCHEMA.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
"""What the functions of the database execute."""
_TARGET = re.compile(r"\b(?:INTO|UPDATE|DELETE\s+FROM)\s+(\w+)", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|(?:KEY\s+)?SHARE)\b", re.IGNORECASE)


class Footprint(NamedTuple):
    """Tables, and keys of objects (a prefix ends with ``*``)."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def __or__(self, other: "Footprint") -> "Footprint":
        return Footprint(self.reads | other.reads, self.writes | other.writes)

    def conflicts(self, other: "Footprint") -> bool:
        """Whether the order of the two may matter."""
        return _meet(self.writes, other.reads | other.writes) or _meet(self.reads, other.writes)


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    return bool(some & others) or any(
        one.endswith("*") and other.startswith(one[:-1])
        for left, right in ((some, others), (others, some))
        for one in left
        for other in right
    )


def of_statement(sql: str) -> Footprint:
    """The tables of a statement, or of several, with those of the functions that they call."""
    sql += "".join(_BODIES.get(word, "") for word in re.findall(r"(\w+)\(", sql))
    tables = (set(TABLES) - IGNORED).intersection(re.findall(r"\w+", sql))
    writes = {name for name in _TARGET.findall(sql) if name in tables}
    for name in tuple(writes):
        writes |= CAUSED.get(name, set())
    if _LOCKS.search(sql):
        writes |= tables
    if "advisory" in sql:
        writes.add("an advisory lock")
    return Footprint(frozenset(tables), frozenset(writes))


def of_request(method: str, keys: list[str]) -> Footprint:
    """The objects of a request to S3."""
    objects = frozenset(f"s3:{key}" for key in keys)
    return Footprint(objects) if method in ("GET", "HEAD") else Footprint(writes=objects)
