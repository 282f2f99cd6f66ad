"""Short runs of the mirrors; `python -m tests.faults --mirrors` runs longer."""

from collections.abc import Iterator

import pytest

from tests.faults.mirrors import Mirrors
from tests.faults.writers import OPERATIONS
from tests.integration.stores import Stores

ROUNDS = 4


@pytest.fixture
def mirrors(stores: Stores) -> Iterator[Mirrors]:
    made = Mirrors(stores, writers=3)
    yield made
    made.close()


def test_a_mirror_that_follows_the_feed_equals_the_database(mirrors: Mirrors) -> None:
    with mirrors.broken(None):
        feed = mirrors.run(ROUNDS, seed=3)
        hints = mirrors.run(ROUNDS, seed=4, hints=True)
    print(feed.describe(), hints.describe(), sep="\n")
    assert feed.wrong == hints.wrong == []
    # The runs are meaningful: all was done, writers were killed, and webhooks were lost.
    assert set(feed.operations + hints.operations) == set(OPERATIONS)
    assert feed.killed + hints.killed > 0
    assert feed.changes > ROUNDS
    assert hints.hints["dropped"] > 0

    with mirrors.broken("sequences out of order"):
        broken = mirrors.run(50, seed=5, report=lambda _, counts: bool(counts.wrong))
    assert broken.wrong
