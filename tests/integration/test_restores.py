"""A short run of restores to earlier moments; `python -m tests.faults --restores` runs longer."""

from tests.faults.moments import moments
from tests.faults.restores import Restores
from tests.integration.stores import Stores

ROUNDS = 2


def test_every_moment_comes_back_whole(servers: Stores) -> None:
    with moments(servers, "restores") as made:
        harness = Restores(made, seed=10)
        try:
            counts = harness.run(ROUNDS)
        finally:
            harness.close()

    print(counts.describe())
    assert counts.wrong == []
    # The run is meaningful: something was killed, and files were brought back.
    assert counts.killed.total() > 0
    assert counts.restored["originals"] > 0
    assert counts.images >= 3 * ROUNDS
