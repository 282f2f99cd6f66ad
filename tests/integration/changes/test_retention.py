"""The service deletes changes older than CHANGES_DAYS, a partition at a time."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.integration.changes.reading import add, changes, cursor, read
from tests.integration.lifecycle import forget
from tests.integration.stores import Configure, Stores

SIZE = 5


@pytest.fixture
def small(stores: Stores) -> Iterator[Stores]:
    """Partitions of SIZE changes."""

    def drop_all() -> None:
        for row in stores.execute(
            "SELECT oid::regclass AS name FROM pg_class WHERE relispartition AND relkind = 'r'"
        ):
            stores.execute(f"DROP TABLE {row['name']}")

    drop_all()
    (found,) = stores.execute("SELECT pg_get_functiondef('changes_per_partition'::regproc) AS sql")
    stores.execute(found["sql"].replace("1000000", str(SIZE)))
    yield stores
    drop_all()
    stores.execute(found["sql"])


def age(stores: Stores, days: int, last: int = SIZE * 3) -> None:
    """Make all changes up to ``last`` older."""
    stores.changes()
    stores.execute(
        "UPDATE changes SET time = time - make_interval(days => %s) WHERE sequence <= %s", (days, last)
    )


def test_whole_partitions_are_dropped_and_cursors_go_on_or_expire(small: Stores) -> None:
    add(small, 14)
    age(small, 399, last=14)
    age(small, 2, last=12)
    every = changes()
    cursors = [cursor(None, limit=number + 1) for number in range(len(every))]

    assert forget() == {"partitions_dropped": 2}

    # The third partition has changes 10 to 14, the last of which is not old enough.
    kept = [change for change in every if change["sequence"] >= 2 * SIZE]
    assert changes() == kept
    for change, since in zip(every, cursors, strict=True):
        if change in kept:
            assert changes(since) == [later for later in kept if later["sequence"] > change["sequence"]]
        else:
            assert read(since).error == (410, "changes_expired")


def test_the_partition_of_the_newest_change_stays(small: Stores) -> None:
    add(small, SIZE + 1)
    age(small, 500)
    since = cursor("latest")
    forget()
    assert len(changes()) == 2
    assert changes(since) == []
    add(small, 1)
    assert len(changes(since)) == 1


def test_no_gap_when_a_clock_was_set_back(small: Stores) -> None:
    add(small, SIZE * 3)
    age(small, 401)
    age(small, -401, last=SIZE - 1)
    forget()
    assert len(changes()) == SIZE * 3


def test_few_changes_are_forgotten_too(stores: Stores, configure: Configure) -> None:
    """A partition covers at most a month, even with few changes."""
    configure(CHANGES_DAYS="5")
    add(stores, 2, days_ago=31)
    since = cursor("latest")
    add(stores, 1)
    assert len(changes(since)) == 1
    forget()
    assert len(changes()) == 1


def test_who_reads_for_long_delays_a_drop_and_is_not_disturbed(small: Stores) -> None:
    add(small, SIZE * 2)
    age(small, 401)
    with closing(small.postgres.connect()) as reader, reader.cursor() as other:
        other.execute("SELECT count(*) FROM changes")
        assert forget() == {"partitions_dropped": 0}
        assert len(changes()) == SIZE * 2
    forget()
    assert len(changes()) < SIZE * 2
