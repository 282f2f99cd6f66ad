"""A sweep that compares all objects with all rows: when it stops, and what it leaves alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from imageapi import comparing, storage, sweeping

from tests.integration.client import upload
from tests.integration.leftovers import counts, put
from tests.integration.lifecycle import fetch, sweep
from tests.integration.stores import Stores
from tests.support import pictures


def test_many_objects_without_a_row_are_kept(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """As beside an empty or an older database: what a crash leaves is never so many."""
    monkeypatch.setattr(sweeping, "MAX_ORPHANS", 4)
    keys = [f"originals/{number}.jpg" for number in range(5)]
    for key in keys:
        put(stores, key)
    found = {"orphan_objects": 5, "orphans_kept": 5}

    assert counts(sweep(dry_run=True)) == found
    report = sweep()
    assert counts(report) == found
    assert report["orphan_keys"] == stores.keys() == keys

    assert counts(sweep(force=True)) == {"orphan_objects": 5}
    assert stores.keys() == []


def test_a_rendition_that_is_made_meanwhile_stays(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    image = upload(pictures.jpeg(800, 600)).image
    put(stores, f"variants/{image['id']}/w320.webp")
    put(stores, "variants/orphan/w320.webp")
    compare = comparing.compare_stores

    def compare_and_be_asked(*arguments: Any) -> Iterator[Any]:
        yield from compare(*arguments)
        assert fetch(image["urls"]["thumbnail"], "image/webp").status == 200

    monkeypatch.setattr(sweeping, "compare_stores", compare_and_be_asked)
    assert sweep()["orphan_objects"] == 2

    assert fetch(image["urls"]["thumbnail"], "image/webp").status == 200
    assert stores.keys() == [image["s3_key"], f"variants/{image['id']}/w320.webp"]


def test_a_dry_run_looks_from_the_beginning(stores: Stores) -> None:
    put(stores, "originals/0.jpg")
    stores.execute("INSERT INTO sweep_progress (compared_until) VALUES ('variants/z')")

    assert counts(sweep(dry_run=True)) == {"orphan_objects": 1}


def test_many_are_few_among_very_many(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "MAX_ORPHANS", 1)
    monkeypatch.setattr(sweeping, "MAX_ORPHAN_SHARE", 0.5)
    for number in range(2):
        upload(pictures.png(seed=number))
        put(stores, f"originals/{number}.jpg")

    assert counts(sweep()) == {"orphan_objects": 2}


def test_a_comparison_that_runs_out_of_time_goes_on_next_time(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{area}/{number}" for area in ("incoming", "originals", "variants") for number in range(4)]
    for key in keys:
        put(stores, key)
    (missing,) = stores.insert_ready(1)
    monkeypatch.setattr(storage, "LIST_PAGE", 2)
    ends = [
        *("incoming/1", "incoming/3", "originals/1", "originals/3", "originals/~", "variants/1"),
        *("variants/3", ""),
    ]

    assert sweep(dry_run=True, time_left=100)["compared_until"] == ends[0]  # which it leaves to be found
    reports = [sweep(time_left=100) for _ in ends]

    assert [report["compared_until"] for report in reports] == ends
    assert [key for report in reports for key in report["orphan_keys"]] == keys
    assert [found for report in reports for found in report["missing_ids"]] == [missing]
    assert stores.keys() == []
