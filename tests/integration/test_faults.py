"""A short run of the fault harness; `python -m tests.faults` runs longer."""

from tests.faults.report import describe
from tests.faults.rounds import KILLS, OPERATIONS, Harness
from tests.integration.stores import Stores

ROUNDS = 18


def test_nothing_is_lost_and_nothing_is_left(stores: Stores) -> None:
    harness = Harness(stores, seed=7)
    try:
        counts = harness.run(ROUNDS)
    finally:
        harness.close()

    print(describe(counts))
    assert counts.wrong == []
    assert counts.rounds.total() == ROUNDS
    # The run is meaningful: every operation had its turn, and some were killed or refused.
    assert {operation for operation, _ in counts.rounds} == set(OPERATIONS)
    assert counts.killed.total() >= ROUNDS * len(KILLS) // 9 // 2
    assert counts.refused.total() > 0
    assert counts.recovered > 0
    assert counts.images > ROUNDS
