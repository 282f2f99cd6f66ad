"""The reads and writes of a call to a store, so that equivalent orders are run only once.

A wrong guess costs only time: two calls that seem to conflict are run in both orders.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from tests.integration.stores import SCHEMA, TABLES

NOTED = {"image_metadata", "trashed_images", "image_analysis"}
"""Tables whose triggers note changes."""
CASCADES = {"image_metadata": {"image_variants", "image_analysis"}}
"""Tables that a deletion from a table also deletes from."""
IGNORED = {"facet_changes", "facet_counts", "sweep_progress", "api_keys", "webhooks"}
"""Tables that no operation here depends on, and no check reads."""
_BODIES = dict(
    re.findall(
        r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?\$\$(.*?)\$\$",
        SCHEMA.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
"""The bodies of the functions of the database."""
_TARGET = re.compile(r"\b(?:INTO|UPDATE|DELETE\s+FROM)\s+(\w+)", re.IGNORECASE)
_DELETED = re.compile(r"\bDELETE\s+FROM\s+(\w+)", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|(?:KEY\s+)?SHARE)\b", re.IGNORECASE)
_ADVISORY = re.compile(r"advisory_\w*lock\w*\((\w+)")


class Footprint(NamedTuple):
    """Tables, and keys of objects (a prefix ends with ``*``).

    Attributes:
        locks: the parts that a transaction has written or locked. Others may wait for them, but cannot read
            them before its COMMIT.
    """

    reads: frozenset[str] = frozenset()
    locks: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def uncommitted(self) -> "Footprint":
        """The footprint of a statement if its transaction goes on."""
        return Footprint(self.reads, self.writes)

    def conflicts(self, other: "Footprint") -> bool:
        """Whether the order of the two may matter."""
        return _conflict(self, other)


@lru_cache(10_000)
def _conflict(one: Footprint, other: Footprint) -> bool:
    return (
        _meet(one.writes, other.reads | other.locks | other.writes)
        or _meet(one.reads | one.locks, other.writes)
        or _meet(one.locks, other.locks)
    )


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
    for name in _DELETED.findall(sql):
        writes |= CASCADES.get(name, set())
    if writes & NOTED:
        writes.add("changes_unnumbered")
    if _LOCKS.search(sql):
        writes |= tables
    writes |= {f"advisory lock {lock_class}" for lock_class in _ADVISORY.findall(sql)}
    return Footprint(reads=frozenset(tables), writes=frozenset(writes))


def of_request(method: str, keys: list[str]) -> Footprint:
    """The objects of a request to S3."""
    objects = frozenset(f"s3:{key}" for key in keys)
    return Footprint(objects) if method in ("GET", "HEAD") else Footprint(writes=objects)
