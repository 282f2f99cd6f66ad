"""The orders of a list. Pure.

An order is declared here; tests/unit/search/test_sort_orders.py names the other places that must list it.
"""

from typing import NamedTuple

TIERS = (True, False)
"""Best matches first: all words in title and tags, then the rest."""


class Order(NamedTuple):
    """A sort order: by a column, then by the id, both in one direction.

    Attributes:
        key: the column; None in time order, since ids begin with the time.
        key_type: type of the key in a cursor.
    """

    key: str | None
    key_type: type
    descending: bool

    @property
    def columns(self) -> list[str]:
        return [f"image.{name}" for name in (self.key, "id") if name]

    def order_by(self, *first: str) -> str:
        """The ORDER BY list. ``first``: leading columns that are constant in the list."""
        direction = "DESC" if self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in [*first, *self.columns])

    @property
    def after(self) -> str:
        """The SQL condition for rows after a position."""
        values = "(%(key)s, %(id)s)" if self.key else "(%(id)s)"
        return f"({', '.join(self.columns)}) {'<' if self.descending else '>'} {values}"


KEYS: dict[str, tuple[str | None, type]] = {
    "created_at": (None, type(None)),
    "title": ("title_key", str),
    "size_bytes": ("size_bytes", int),
}
ORDERS = {
    f"{sign}{name}": Order(*key, descending=bool(sign)) for name, key in KEYS.items() for sign in ("", "-")
}
ORDERS["relevance"] = ORDERS["-created_at"]


def sorts_by_time(*, has_terms: bool) -> list[str]:
    """The orders that can sort a list of any length; relevance requires search terms."""
    return [name for name, order in ORDERS.items() if not order.key and (has_terms or name != "relevance")]
