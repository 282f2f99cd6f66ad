"""A short run of the fault harness; `python -m tests.faults` runs longer."""

from contextlib import closing

from tests.faults.operations import OPERATIONS
from tests.faults.report import repeat
from tests.faults.rounds import KILLS, Harness
from tests.integration.stores import Stores

ROUNDS = len(OPERATIONS)


def test_nothing_is_lost_and_nothing_is_left(stores: Stores) -> None:
    with closing(Harness(stores, seed=7)) as harness:
        repeat(harness.run_round, ROUNDS, harness.report)

    report = harness.report
    print(report.describe())
    assert report.wrong == []
    # The run is meaningful if every operation ran, and some were killed or refused.
    assert all(report[operation].total() == 1 for operation in OPERATIONS)
    assert report["killed"].total() >= ROUNDS * len(KILLS) // 9 // 2
    assert report["refused"].total() > 0
    assert report["rounds"]["recovered"] > 0
    assert report["rounds"]["images compared"] > ROUNDS
