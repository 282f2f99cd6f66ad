"""Places for waiting requests. Each occupies an execution environment for up to 20 seconds.

A place is an advisory lock of the database session, so the server frees it if the function dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from zlib import crc32

from imageapi.actor import get_actor
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.database.locks import WAITS, WAITS_OF_A_KEY
from imageapi.errors import AppError, TooManyRequestsError

PLACES_OF_A_KEY = 2
RETRY_SECONDS = 5


@contextmanager
def waiting_place() -> Iterator[None]:
    """Hold one of the current key's PLACES_OF_A_KEY, and one of the CHANGES_WAITS of all keys.

    Raises:
        TooManyRequestsError: ``too_many_waits``. After an empty page, the client would retry immediately.
    """
    held: list[tuple[int, int]] = []
    key = [crc32(f"{get_actor().key_id} {place}".encode()) - 2**31 for place in range(PLACES_OF_A_KEY)]
    try:
        for lock_class, places in ((WAITS_OF_A_KEY, key), (WAITS, range(get_settings().changes_waits))):
            free = (place for place in places if _try_lock(lock_class, place))
            if (place := next(free, None)) is None:
                message = "Too many requests are waiting for changes. Try again."
                raise TooManyRequestsError(message, code="too_many_waits", retry_after=RETRY_SECONDS)
            held.append((lock_class, place))
        yield
    finally:
        with suppress(AppError):  # a lost session holds no locks
            for lock in held:
                db.query("SELECT pg_advisory_unlock(%s, %s)", lock)


def _try_lock(lock_class: int, place: int) -> bool:
    (found,) = db.query("SELECT pg_try_advisory_lock(%s, %s) AS taken", (lock_class, place))
    return bool(found["taken"])
