"""The classes of advisory locks: the first of their two integers. The comments name the second.

Without classes, an id or a checksum that a client chooses could collide with one of the service's locks.
"""

MOVES = 1
"""Moving an image between tables: ``hashtext(id)``."""
NUMBERING = 2
"""Numbering changes: 0 (init_db.sql)."""
FACETS = 3
"""Adding to the counts of categories and tags: 0."""
SAME_BYTES = 4
"""Uploading the same bytes: the first bytes of their SHA-256."""
MIGRATIONS = 5
"""Migrating: 0."""
API_KEYS = 6
"""Creating and revoking API keys: 0."""
WAITS_OF_A_KEY, WAITS = 7, 8
"""Places of requests that wait for changes: of one API key, and of all. The session holds these locks."""
