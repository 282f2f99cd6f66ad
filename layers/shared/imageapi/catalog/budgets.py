"""The table ``daily_budgets``: today's uses of each daily limit (UTC)."""

import time
from datetime import date

from imageapi.database import db
from imageapi.errors import TooManyRequestsError

_TODAY = "(now() AT TIME ZONE 'UTC')::date"

# Locks the row, so concurrent uses all count.
_SPEND = f"""
    INSERT INTO daily_budgets AS budget (name, day, used) VALUES (%(name)s, {_TODAY}, 1)
    ON CONFLICT (name) DO UPDATE
        SET day = greatest(budget.day, excluded.day),
            used = CASE WHEN budget.day < excluded.day THEN 1 ELSE budget.used + 1 END
        WHERE budget.day < excluded.day OR budget.used < %(limit)s
    RETURNING day"""


def spend(name: str, limit: int, code: str) -> date:
    """Count one use. Returns its day (UTC).

    Raises:
        TooManyRequestsError: ``code``; there were ``limit`` uses today.
    """
    if row := db.query_one(_SPEND, {"name": name, "limit": limit}):
        day: date = row["day"]
        return day
    until_midnight = 86_400 - int(time.time()) % 86_400
    message = f"Today's limit of {limit:,} {name} is used up. It resets at 00:00 UTC."
    details = {"daily_budget": limit}
    raise TooManyRequestsError(message, code=code, details=details, retry_after=until_midnight)


def give_back(name: str, day: date) -> None:
    """Undo one use of this day; does nothing if a later day has begun."""
    db.query("UPDATE daily_budgets SET used = used - 1 WHERE name = %s AND day = %s", (name, day))


def count_used(name: str) -> int:
    """How often this was done today."""
    row = db.query_one(f"SELECT used FROM daily_budgets WHERE name = %s AND day = {_TODAY}", (name,))
    return int(row["used"]) if row else 0
