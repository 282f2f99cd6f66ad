"""Advisory locks: their classes, the first of the two integers of each.

Without classes, an id or a checksum that a client chooses could meet a lock of the service's own.
"""

MOVES = 1
"""Moves of an image between tables, with ``hashtext(id)``."""
NUMBERING = 2
"""Numbering changes, with 0 (init_db.sql)."""
FACETS = 3
"""Adding to the counts, with 0."""
SAME_BYTES = 4
"""Uploads with the same bytes, with the first bytes of their SHA-256."""
MIGRATIONS = 5
"""Migrations, with 0."""
API_KEYS = 6
"""Creating and revoking API keys, with 0."""
WAITS_OF_A_KEY, WAITS = 7, 8
"""Places of requests that wait for changes: of one API key, and of all. Held by the session."""
