"""Times in the API. Pure."""

from datetime import UTC, datetime
from typing import overload


@overload
def show_time(moment: datetime) -> str: ...
@overload
def show_time(moment: datetime | None) -> str | None: ...
def show_time(moment: datetime | None) -> str | None:
    """A time in RFC 3339, UTC, with milliseconds: ``2026-11-25T17:06:44.115Z``; None for None.

    ``shown_time`` in init_db.sql does the same.
    """
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{moment.microsecond // 1000:03}Z")
