"""Ways to break the feed, each of which the mirrors must find."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from tests.integration.stores import Stores


class Break(NamedTuple):
    """Text to replace in number_changes(), and the stock of positions of each connection."""

    replaced: Mapping[str, str] = {}
    stock: int = 1


LOCK = "PERFORM pg_advisory_xact_lock(2, 0);"
NEWEST = "SELECT coalesce(max(sequence), 0) INTO newest FROM changes;"
NUMBER = "newest + row_number() OVER (ORDER BY position)"
BREAKS = {
    "no lock": Break({LOCK: ""}),
    "lock released before commit": Break(
        {
            "RETURN numbered;": "PERFORM pg_advisory_unlock(2, 0); RETURN numbered;",
            LOCK: LOCK.replace("_xact", ""),
        }
    ),
    "lock and read in one snapshot": Break(
        {LOCK: "", NEWEST: NEWEST.replace("SELECT", "SELECT (SELECT 0 FROM pg_advisory_xact_lock(2, 0)) +")}
    ),
    "sequence before commit": Break({NUMBER: "position"}),
    "order lost": Break({NUMBER: NUMBER.replace("position", "random()")}),
    "position before the row's lock": Break(stock=20),
    "reads without numbering": Break({"IF NOT EXISTS": "IF random() < 0.3 OR NOT EXISTS"}),
    "text of the deleted stays": Break({"IF gone IS NOT NULL": "IF false"}),
}
"""A connection takes its stock of positions before it locks the row."""


@contextmanager
def broken(stores: Stores, how: str | None) -> Iterator[None]:
    """Break the feed; None: only make gaps more likely to show, by pauses before commits."""
    found = {
        name: stores.execute("SELECT pg_get_functiondef(%s::regproc) AS sql", (name,))[0]["sql"]
        for name in ("note_change", "number_changes")
    }
    change = BREAKS[how] if how else Break()
    number = found["number_changes"]
    for old, new in change.replaced.items():
        assert old in number
        number = number.replace(old, new, 1)
    pause = "PERFORM pg_sleep(greatest(0, random() - 0.6) * {});"
    for place in ("WITH taken", "RETURN numbered;"):
        number = number.replace(place, f"{pause.format(0.1)} {place}")
    stores.execute(number)
    stores.execute(found["note_change"].replace("\nEND", f"\n    {pause.format(0.04)}\nEND"))
    set_stock = "ALTER TABLE changes_unnumbered ALTER COLUMN position SET CACHE %s"
    stores.execute(set_stock, (change.stock,))
    try:
        yield
    finally:
        for sql in found.values():
            stores.execute(sql)
        stores.execute(set_stock, (1,))
