"""The sweep removes changes older than CHANGES_DAYS."""

import pytest
from imageapi.sweep import run

from tests.integration.changes.reading import add, changes, cursor
from tests.integration.lifecycle import sweep
from tests.integration.stores import Configure, Stores


def test_the_sweep_removes_old_changes_in_bites(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHANGES_BATCH", 2)
    add(stores, 7, days_ago=401)
    add(stores, 2, days_ago=399)
    sweep(dry_run=True)
    assert len(changes()) == 9
    sweep()
    assert len(changes()) == 2


def test_the_sweep_keeps_the_newest_change(stores: Stores) -> None:
    add(stores, 5, days_ago=500)
    since = cursor("latest")
    sweep()
    assert len(changes()) == 1
    assert changes(since) == []


def test_the_sweep_makes_no_gap_when_a_clock_was_set_back(stores: Stores) -> None:
    add(stores, 2, days_ago=401)
    add(stores, 1)
    add(stores, 2, days_ago=401)
    sweep()
    assert len(changes()) == 3


def test_changes_days_is_a_setting(stores: Stores, configure: Configure) -> None:
    configure(CHANGES_DAYS="5")
    add(stores, 2, days_ago=6)
    add(stores, 1, days_ago=4)
    sweep()
    assert len(changes()) == 1
