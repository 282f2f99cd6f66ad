"""Disturbances of the writers: numberers are killed, transactions stay open, the database is restored."""

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import psycopg2
from imageapi.database import db

from tests.faults.moments import Moments
from tests.integration.stores import Stores

END_NUMBERING = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE query LIKE 'SELECT number_changes(%' AND state = 'active' AND pid <> pg_backend_pid() LIMIT 1"""
CHANGE = """
    SET lock_timeout = '100ms'; SET CONSTRAINTS ALL IMMEDIATE;
    UPDATE image_metadata SET description = description || '!', version = version + 1 WHERE id = %s"""
MAX_MOMENTS = 3


class Disturbances:
    """Causes these at random, and counts them."""

    def __init__(self, stores: Stores, chance: random.Random, counts: Counter[str]) -> None:
        self._stores = stores
        self._chance = chance
        self._counts = counts
        self._open: Any = None

    def disturb(self, ids: list[str]) -> None:
        """Perhaps end a numbering session, or begin or end a transaction whose change has its position."""
        dice = self._chance.random()
        if dice < 0.6:
            self._counts["numberers killed"] += len(self._stores.execute(END_NUMBERING))
        elif dice < 0.65 and not self._open and ids:
            self._open = self._stores.postgres.connect()
            with suppress(psycopg2.OperationalError):  # a writer holds its lock
                self._open.cursor().execute(CHANGE, (self._chance.choice(ids),))
                self._counts["transactions left open"] += 1
        elif dice < 0.7:
            self.end()

    def end(self) -> None:
        """Commit the open transaction, or roll it back."""
        if self._open:
            if self._chance.random() < 0.7:
                self._open.commit()
            self._open.close()
            self._open = None

    def restore(self, moments: Moments) -> None:
        """Perhaps keep a copy of the database, perhaps go back to one. No other session may be connected."""
        dice = self._chance.random()
        if dice < 0.2:
            db.close()
            moments.take()
            if len(moments.taken) > MAX_MOMENTS:
                moments.forget(moments.taken[0])
        elif dice < 0.35 and moments.taken:
            db.close()
            moments.restore(self._chance.choice(moments.taken))
            self._counts["restores"] += 1
