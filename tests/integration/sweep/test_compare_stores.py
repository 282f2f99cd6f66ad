"""A sweep that compares all objects with all rows: interruptions, and concurrent changes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from imageapi.storage import s3
from imageapi.sweep import compare_stores, run

from tests.integration.client import upload
from tests.integration.leftovers import counts, put
from tests.integration.lifecycle import delete_for_good, sweep
from tests.integration.stores import Stores, new_id
from tests.support import pictures

NAMES = ("w320-cover.webp", "w320.webp")


def insert_variants(stores: Stores) -> None:
    """Insert ready variants, without objects, for all images."""
    for row in stores.rows():
        for name in NAMES:
            stores.insert_variant(row["id"], name, "ready")


def test_what_comes_or_goes_meanwhile_is_neither_missing_nor_an_orphan(stores: Stores) -> None:
    deleted, missing = stores.insert_ready(2)
    images = [upload(pictures.png()).image]
    late = new_id()
    put(stores, f"originals/{late}.jpg")
    list_objects, object_exists = s3.list_objects, s3.object_exists

    def list_and_add(prefix: str, after: str = "") -> Iterator[list[tuple[str, datetime]]]:
        for page in list_objects(prefix, after):
            if prefix == "originals/":  # the page that it belongs to has been listed
                images.append(upload(pictures.png()).image)
            yield page
        if prefix == "incoming/":  # it already counts as an orphan
            stores.insert([late], {})

    def delete_and_look(key: str) -> bool:
        if deleted in key:
            assert delete_for_good(deleted).status == 204
        return object_exists(key)

    with patch.multiple(s3, list_objects=list_and_add, object_exists=delete_and_look):
        report = sweep()

    assert counts(report) == {"orphan_objects": 1, "missing_objects": 1}
    assert report["missing_ids"] == [missing]
    keys = [image["s3_key"] for image in images]
    assert stores.keys() == sorted([f"originals/{late}.jpg", *keys])


@patch.object(s3, "LIST_PAGE", 2)
def test_a_comparison_that_runs_out_of_time_goes_on_next_time(stores: Stores) -> None:
    keys = [f"{area}/{number}" for area in ("originals", "incoming", "variants") for number in range(4)]
    put(stores, *keys)
    (missing,) = stores.insert_ready(1)
    ends = [
        *("originals/1", "originals/3", "originals/~", "incoming/1", "incoming/3", "incoming/~"),
        *("variants/1", "variants/3", ""),
    ]

    reports = []
    for _ in ends:  # a dry run removes nothing, and looks from the beginning
        assert sweep(dry_run=True, has_time=False)["compared_until"] in ends[:3]
        reports.append(sweep(has_time=False, force=True))

    assert [report["compared_until"] for report in reports] == ends
    assert [key for report in reports for key in report["orphan_keys"]] == keys
    assert [found for report in reports for found in report["missing_ids"]] == [missing]
    assert stores.keys() == []


@patch.object(s3, "LIST_PAGE", 2)
def test_the_hourly_sweeps_continue_a_comparison_and_begin_none(stores: Stores) -> None:
    put(stores, *(f"originals/{number}" for number in range(5)))

    assert counts(sweep(compare=False)) == {}
    assert sweep(has_time=False)["compared_until"] == "originals/1"
    assert counts(sweep(compare=False, dry_run=True)) == {}
    assert sweep(compare=False, has_time=False)["compared_until"] == "originals/3"
    assert sweep(compare=False)["orphan_keys"] == ["originals/4"]
    assert counts(sweep(compare=False)) == {}


@patch.object(compare_stores, "BATCH", 2)
def test_a_bucket_with_one_object_is_compared_a_batch_of_rows_at_a_time(stores: Stores) -> None:
    """Each missing object costs a request, so the sweep checks its time after each batch."""
    ids = stores.insert_ready(5)
    newest = f"originals/{ids[-1]}.jpg"
    put(stores, newest)
    insert_variants(stores)
    looked: list[str] = []
    object_exists = s3.object_exists

    def look(key: str) -> bool:
        if key != newest:  # each sweep looks it up to recognise the database's bucket
            looked.append(key)
        return object_exists(key)

    ends = []
    with patch.object(s3, "object_exists", look):
        for ranges in range(1, 12):
            ends.append(sweep(has_time=False)["compared_until"])
            assert len(looked) <= 2 * ranges
    variants = [f"variants/{image_id}/{name}" for image_id in ids for name in NAMES]

    assert ends == [
        *(f"originals/{ids[1]}.jpg", f"originals/{ids[3]}.jpg", newest, "originals/~", "incoming/~"),
        *(variants[1], variants[3], variants[5], variants[7], variants[9], ""),
    ]
    assert looked == [f"originals/{image_id}.jpg" for image_id in ids[:-1]] + variants
    assert stores.execute("SELECT * FROM image_variants") == []


def test_more_rows_than_a_batch_between_two_objects(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = stores.insert_ready(9)
    insert_variants(stores)
    lost = [(ids[3], NAMES[0]), (ids[5], NAMES[1])]
    owned = [f"originals/{image_id}.jpg" for image_id in ids if image_id != ids[4]]
    owned += [f"variants/{i}/{name}" for i in ids for name in NAMES if (i, name) not in lost]
    # Keys that belong to no variant, spread over the sort order, must not hide one that does.
    strays = ["variants/0", f"variants/{ids[4]}", f"variants/{ids[4]}0/x", "variants/README", "variants/z/x"]
    put(stores, *owned, *strays)
    monkeypatch.setattr(compare_stores, "BATCH", 2)
    expected = {"orphan_objects": 5, "missing_objects": 1, "variants_lost": 2}

    for page in (1, 3, 1000):
        monkeypatch.setattr(s3, "LIST_PAGE", page)
        report = sweep(dry_run=True)
        assert counts(report) == expected
        assert report["orphan_keys"] == sorted(strays)
        assert report["missing_ids"] == [ids[4]]

    assert counts(sweep()) == expected
    assert stores.keys() == sorted(owned)
    assert counts(sweep()) == {"missing_objects": 1}


def sweep_until_killed(calls: int) -> None:
    """Run a sweep that ends, without cleanup, when it has checked its time this many times."""
    with pytest.raises(StopIteration):
        run.sweep(dry_run=False, object_grace=timedelta(seconds=-60), has_time=iter([True] * calls).__next__)


@patch.object(compare_stores, "BATCH", 2)
@pytest.mark.parametrize("orphans", [[], ["originals/0"]])
def test_a_comparison_that_is_ended_goes_on_where_it_was(stores: Stores, orphans: list[str]) -> None:
    """If there were orphans, it starts over, because it removes originals only after it has seen all."""
    put(stores, *orphans)
    ids = stores.insert_ready(7)

    sweep_until_killed(2)

    report = sweep(force=True)
    assert (report["missing_ids"], report["orphan_keys"]) == (ids if orphans else ids[6:], orphans)
    assert stores.keys() == []


@patch.object(s3, "LIST_PAGE", 2)
def test_orphans_among_variants_are_removed_part_by_part(stores: Stores) -> None:
    """Their number is unlimited, so the sweep does not collect them until the end."""
    keys = [f"variants/{number}/w320.webp" for number in range(6)]
    put(stores, *keys)

    sweep_until_killed(3)  # after the other two areas and one page of variants

    assert stores.keys() == keys[4:]
    assert sweep()["orphan_keys"] == keys[4:]
    assert stores.keys() == []
