"""A short run of restores to earlier moments; `python -m tests.faults --restores` runs longer."""

from tests.faults.moments import moments
from tests.faults.restores import Restores
from tests.integration.stores import Stores

ROUNDS = 3


def test_every_moment_comes_back_whole(servers: Stores) -> None:
    with moments(servers, "restores") as made:
        harness = Restores(made, seed=5)
        try:
            counts = harness.run(ROUNDS)
        finally:
            harness.close()

    print(counts.describe())
    assert counts.wrong == []
    # The run is meaningful: something was killed, and files of every kind were brought back.
    assert counts.killed.total() > 0
    assert set(counts.restored) == {"originals", "incoming", "variants"}
    assert counts.images >= 3 * ROUNDS
    assert counts.orphans > 0
