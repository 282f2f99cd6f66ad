"""Short runs of the mirrors; `python -m tests.faults --mirrors` runs longer."""

from collections.abc import Iterator

import pytest

from tests.faults.breaks import broken
from tests.faults.mirrors import Mirrors
from tests.integration.stores import Stores

ROUNDS, WRITERS = 4, 3


@pytest.fixture
def mirrors(stores: Stores) -> Iterator[Mirrors]:
    made = Mirrors(stores, writers=WRITERS)
    yield made
    made.close()


def test_a_mirror_that_follows_the_feed_equals_the_database(mirrors: Mirrors, stores: Stores) -> None:
    with broken(stores, None):
        feed = mirrors.run(ROUNDS, seed=3)
        hints = mirrors.run(ROUNDS, seed=4, hints=True)
    print(feed.describe(), hints.describe(), sep="\n")
    assert feed.wrong == hints.wrong == []
    # The runs are meaningful if each begins with an upload of every writer.
    counts = (feed["rounds"]["changes"], hints["rounds"]["changes"], hints["webhooks"].total())
    assert min(counts) >= WRITERS

    with broken(stores, "reads without numbering"):
        assert mirrors.run(50, seed=5, stop=True).wrong
