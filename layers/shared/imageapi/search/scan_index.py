"""Plan (a): read the next entries of the order's index."""

from imageapi.database import db
from imageapi.search.conditions import Conditions
from imageapi.search.cursors import Position
from imageapi.search.statements import columns, place_values


def scan_index(conditions: Conditions, position: Position | None, wanted: int) -> list[db.Row]:
    """The rows after a position, up to ``wanted``."""
    order = conditions.order
    where = [*conditions.bounds, *conditions.category, *([order.after] if position else [])]
    # ORDER BY begins with the category, so that only indexes that begin with it match. Otherwise PostgreSQL
    # may scan all images and discard other categories.
    first = ["image.category"] if conditions.category else []
    return db.query(
        f"""SELECT {columns(order)} FROM image_metadata AS image
            WHERE {" AND ".join(where) or "TRUE"} ORDER BY {order.order_by(*first)} LIMIT %(wanted)s""",
        {**conditions.values, **place_values(position), "wanted": wanted},
    )
