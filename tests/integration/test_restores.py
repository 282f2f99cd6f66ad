"""A short run of restores to earlier moments; `python -m tests.faults --restores` runs longer."""

from contextlib import closing

from tests.faults.moments import moments
from tests.faults.report import repeat
from tests.faults.restores import Restores
from tests.integration.stores import Stores

ROUNDS = 2


def test_every_moment_comes_back_whole(servers: Stores) -> None:
    with moments(servers, "restores") as made, closing(Restores(made, seed=10)) as harness:
        repeat(harness.run_round, ROUNDS, harness.report)

    report = harness.report
    print(report.describe())
    assert report.wrong == []
    # The run is meaningful if something was killed, and files were brought back.
    assert report["killed"].total() > 0
    assert report["restored"]["originals"] > 0
    assert report["rounds"]["images compared"] >= 3 * ROUNDS
