"""A short run of the interleavings; `python -m tests.interleavings` runs all."""

from itertools import pairwise

from tests.integration.stores import Stores
from tests.interleavings.explorer import Case, Explorer, choose_cases

CONFLICTING = (
    Case("new", ("upload", "trash")),
    Case("arrived", ("complete", "event")),
    Case("image", ("view", "undo")),
    Case("viewed", ("trash", "undo")),
    Case("cut-trash", ("restore", "delete")),
)
"""The test runs all schedules of these with one preemption, and one random schedule of each pair."""


def test_operations_on_one_image_do_no_harm_to_each_other(stores: Stores) -> None:
    explorer = Explorer(stores)
    try:
        outcomes = [explorer.sample(case, seed="7") for case in choose_cases("all")]
        for case in CONFLICTING:
            outcomes += explorer.explore(case, preemptions=1)
    finally:
        explorer.close()

    wrong = [outcome for outcome in outcomes if outcome.wrong]
    print("\n\n".join(outcome.describe() for outcome in wrong))
    assert [outcome.code for outcome in wrong] == []
    # The run is meaningful if most requests succeed, although others come between their calls.
    results = [result for outcome in outcomes for result in outcome.results]
    assert sum(result.status < 400 for result in results) > len(results) * 0.8
    switches = [one.client != two.client for outcome in outcomes for one, two in pairwise(outcome.steps)]
    assert sum(switches) > 2 * len(outcomes)
