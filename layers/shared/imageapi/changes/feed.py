"""The feed: all changes, in the order of their commits and without gaps."""

import time
from datetime import UTC, datetime

from imageapi.catalog import changes
from imageapi.changes.cursor import FEED, FeedPosition, decode_position, encode_position, position_of
from imageapi.changes.serialize import fit, serialize_page
from imageapi.changes.waiting import waiting_place
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.deadline import time_left
from imageapi.errors import GoneError

LATEST = "latest"
POLL_SECONDS = 0.5
SPARE_SECONDS = 1.0
"""With less of the function's time left, no wait begins."""
START = FeedPosition(0, 0)
"""The position before the oldest change that is kept."""
_DAY = 86_400 * 1_000_000


def read_changes(limit: int, cursor: str | None, wait: int, *, shows_keys: bool) -> str:
    """A page of the feed, as JSON text.

    Args:
        cursor: the ``next_cursor`` of a page, or LATEST; None starts at the oldest change that is kept.
        wait: the seconds to wait if there is no change.
        shows_keys: whether to show changes of API keys and webhooks. The cursor always moves past them.

    Returns:
        ``{"changes": [Change], "next_cursor": str}``: at most ``limit`` changes, fewer if they are large. If
        the list is empty, the client has read all changes that it may see.

    Raises:
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
        GoneError: ``changes_expired``, ``changes_restored``.
        TooManyRequestsError: ``too_many_waits``.
        DatabaseUnavailableError: also during a wait.
    """
    if cursor == LATEST:
        newest = changes.find_newest()
        latest = position_of(*newest) if newest else _dated_start()
        return serialize_page((), encode_position(latest, FEED))
    position = START if cursor is None else decode_position(cursor, FEED)
    start = time.monotonic()
    shown, position = _read_or_wait(position, limit, start, shows_keys)
    if wait and not shown:
        with waiting_place():
            shown, position = _read_or_wait(position, limit, start + wait, shows_keys)
    return serialize_page(shown, encode_position(position, FEED))


def _dated_start() -> FeedPosition:
    """The start of a feed that is empty. Unlike START, it expires."""
    return position_of(0, datetime.now(UTC))


def _read_or_wait(
    position: FeedPosition, limit: int, until: float, shows_keys: bool
) -> tuple[list[db.Row], FeedPosition]:
    """The next changes to show, and the position of the last change that was read."""
    while True:
        rows = _read(position, limit)
        page = fit(rows)
        if page:
            position = position_of(page[-1]["sequence"], page[-1]["time"])
        elif position == START:
            position = _dated_start()
        shown = [row for row in page if shows_keys or row["type"].startswith(changes.IMAGES)]
        if shown or time_left() < SPARE_SECONDS + POLL_SECONDS:
            return shown, position
        if len(page) == len(rows) < limit:
            pause = min(POLL_SECONDS, until - time.monotonic())
            if pause <= 0:
                return shown, position
            # No transaction is open during the wait.
            time.sleep(pause)


def _read(position: FeedPosition, limit: int) -> list[db.Row]:
    """The changes after a position. The query includes the position's own change to detect missing ones."""
    if position.sequence == 0:
        # Later changes may have been removed since.
        age = _dated_start().microseconds - position.microseconds
        if position != START and age >= get_settings().changes_days * _DAY:
            raise _expired()
        return changes.find_from(1, limit)
    rows = changes.find_from(position.sequence, limit + 1)
    if rows and position_of(rows[0]["sequence"], rows[0]["time"]) == position:
        return rows[1:]
    # Its change is missing, and is not too old.
    if changes.find_oldest() <= position.sequence:
        raise GoneError(
            "The database was restored to a time before this cursor. Read everything again.",
            code="changes_restored",
        )
    raise _expired()


def _expired() -> GoneError:
    return GoneError("Changes after this cursor are no longer kept. Read everything again.")
