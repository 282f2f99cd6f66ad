"""The orders that a list can have, each with an index of its own. Pure."""

from typing import NamedTuple

TIERS = (True, False)
"""Best matches first: all words in title and tags, then the rest."""


class Order(NamedTuple):
    """How a list is sorted."""

    key: str
    """The SQL expression of the sort key; NULL when the id is all there is."""
    forward: str
    backward: str
    after: str
    """The condition for what comes after a position."""
    key_type: type
    direction: int = 0
    """1 when it sorts by time, oldest first; -1 newest first; 0 by something else."""

    @property
    def is_ascending(self) -> bool:
        """Whether older images come first where all else is the same."""
        return self.forward.endswith("id ASC")


ORDERS = {
    "newest": Order("NULL::text", "id DESC", "id ASC", "id < %(id)s", type(None), -1),
    "oldest": Order("NULL::text", "id ASC", "id DESC", "id > %(id)s", type(None), 1),
    "title": Order(
        "title_key",
        "title_key ASC, id ASC",
        "title_key DESC, id DESC",
        "(title_key, id) > (%(key)s, %(id)s)",
        str,
    ),
    "size": Order(
        "size_bytes",
        "size_bytes DESC, id DESC",
        "size_bytes ASC, id ASC",
        "(size_bytes, id) < (%(key)s, %(id)s)",
        int,
    ),
}
ORDERS["relevance"] = ORDERS["newest"]
