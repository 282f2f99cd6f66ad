"""Objects without a row: a sweep removes them, or keeps them all if there are too many."""

from unittest.mock import patch

import pytest
from imageapi.storage import s3

from tests.integration.leftovers import counts, put, remove
from tests.integration.lifecycle import sweep
from tests.integration.stores import Stores

OTHERS = ["incoming/0", "variants/0/w320.webp"]
MANY_OTHERS = [f"{area}/{number}" for area in ("incoming", "variants") for number in range(12)]


def put_orphans(stores: Stores, count: int) -> list[str]:
    keys = [f"originals/orphan-{number:03}.jpg" for number in range(count)]
    put(stores, *keys)
    return keys


def put_images(stores: Stores, count: int) -> list[str]:
    keys = [f"originals/{image_id}.jpg" for image_id in stores.insert_ready(count)]
    put(stores, *keys)
    return keys


@pytest.mark.parametrize(
    ("images", "orphans", "others", "is_kept"),
    [
        *((2, 1, [], False), (3, 2, [], True), (17, 2, [], True), (18, 2, [], False)),
        (0, 40, OTHERS, True),  # an empty database
        (1, 0, MANY_OTHERS, False),  # only originals count
        (1, 2, OTHERS, True),  # they decide about the others too
    ],
)
def test_one_is_removed_and_a_small_share(
    stores: Stores, images: int, orphans: int, others: list[str], is_kept: bool
) -> None:
    owned = put_images(stores, images)
    put(stores, *others)
    found = others + put_orphans(stores, orphans)
    expected = {"orphan_objects": len(found)} | ({"orphans_kept": len(found)} if is_kept else {})

    assert counts(sweep(dry_run=True)) == expected
    report = sweep()
    assert counts(report) == expected
    assert sorted(report["orphan_keys"]) == sorted(found)
    assert stores.keys() == sorted(owned + (found if is_kept else []))

    assert counts(sweep(force=True)) == ({"orphan_objects": len(found)} if is_kept else {})
    assert stores.keys() == owned


@pytest.mark.parametrize("after", ["", "originals/~"])
def test_beside_another_database_not_even_one_is_removed(stores: Stores, after: str) -> None:
    """A comparison that resumes after the originals removes no variants either."""
    keys = [*put_orphans(stores, 1), "variants/0/w320.webp"]
    put(stores, keys[1])
    stores.insert_ready(12)
    stores.execute("INSERT INTO sweep_progress (compared_until) VALUES (%s)", (after,))

    found = {"orphan_objects": 1, "orphans_kept": 1} if after else {"orphan_objects": 2, "orphans_kept": 2}
    assert counts(sweep()) == {"failed": 1} | found | ({} if after else {"missing_objects": 12})
    assert stores.keys() == keys


@patch.object(s3, "LIST_PAGE", 32)
def test_each_comparison_that_time_cuts_off_decides_by_what_it_has_seen(stores: Stores) -> None:
    """If the database is older than the bucket, the orphans come last."""
    owned = put_images(stores, 30)
    found = put_orphans(stores, 4)

    first, second = sweep(has_time=False), sweep(has_time=False)

    assert counts(first) == {"orphan_objects": 2}  # of 32 originals
    assert counts(second) == {"orphan_objects": 2, "orphans_kept": 2}  # of 2 originals
    assert stores.keys() == owned + found[2:]


@patch.object(s3, "LIST_PAGE", 3)
def test_a_comparison_that_has_kept_orphans_keeps_all_until_its_end(stores: Stores) -> None:
    """If the database is older than the bucket, later uploads lack rows for originals and other objects."""
    put_images(stores, 1)
    orphans = put_orphans(stores, 2)
    put(stores, *OTHERS)
    before = stores.keys()
    ends = ["originals/~", "incoming/0", "incoming/~", "variants/0/w320.webp", ""]

    assert sweep(has_time=False)["orphans_kept"] == 2
    assert [sweep(has_time=False)["compared_until"] for _ in ends] == ends
    assert stores.keys() == before

    remove(stores, *orphans)
    assert counts(sweep()) == {"orphan_objects": 2}
