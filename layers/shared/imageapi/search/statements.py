"""SQL of both plans: columns, positions, and a statement that reads, checks and sorts candidates."""

from typing import Any

from imageapi.catalog.images import COLUMNS
from imageapi.database import db
from imageapi.search.cursors import Position
from imageapi.search.sort_orders import Order

Found = tuple[list[db.Row], db.Row]
"""A statement's result: hits in order, and facts such as ``candidates`` (rows read)."""


def select(candidates: str, facts: str, order: Order, values: dict[str, Any]) -> Found:
    """Read candidates in one statement. Returns the first hits in order, and the facts.

    Args:
        candidates: a SELECT of ``id``, the order's key and ``hit``.
        facts: further SQL expressions, which may read the candidates.
    """
    key = f", image.{order.key}" if order.key else ""
    # The LEFT JOIN from one row returns the facts even without hits.
    found = db.query(
        f"""WITH candidates AS MATERIALIZED ({candidates}),
            page AS (SELECT image.id{key} FROM candidates AS image WHERE hit
                     ORDER BY {order.order_by()} LIMIT %(wanted)s)
            SELECT (SELECT count(*) FROM candidates) AS candidates, {facts}, {columns(order)}
            FROM (VALUES (1)) AS one
            LEFT JOIN (page JOIN image_metadata AS image ON image.id = page.id) ON true
            ORDER BY {order.order_by()}""",
        values,
    )
    return [row for row in found if row["id"]], found[0]


def columns(order: Order) -> str:
    return f"{COLUMNS}, image.{order.key} AS key" if order.key else COLUMNS


def place_values(position: Position | None) -> dict[str, Any]:
    return {"key": position.key, "id": str(position.id)} if position else {}
