"""Objects without a row: which ones a sweep removes, and when it keeps them all."""

import pytest
from imageapi.storage import s3

from tests.integration.client import upload
from tests.integration.leftovers import counts, put
from tests.integration.lifecycle import sweep
from tests.integration.stores import Stores
from tests.support import pictures


def put_orphans(stores: Stores, count: int) -> list[str]:
    keys = [f"originals/orphan-{number:03}.jpg" for number in range(count)]
    for key in keys:
        put(stores, key)
    return keys


def put_images(stores: Stores, count: int) -> list[str]:
    keys = [f"originals/{image_id}.jpg" for image_id in stores.insert_ready(count)]
    for key in keys:
        put(stores, key)
    return keys


def test_beside_an_empty_database_nothing_is_removed(stores: Stores) -> None:
    originals = [upload(pictures.png(seed=number)).image["s3_key"] for number in range(40)]
    others = ["incoming/0", "variants/0/w320.webp"]
    for key in others:
        put(stores, key)
    stores.execute("TRUNCATE image_metadata CASCADE")
    keys = [*originals, *others]
    found = {"orphan_objects": 42, "orphans_kept": 42}

    assert counts(sweep(dry_run=True)) == found
    report = sweep()
    assert counts(report) == found
    assert sorted(report["orphan_keys"]) == stores.keys() == sorted(keys)

    assert counts(sweep(force=True)) == {"orphan_objects": 42}
    assert stores.keys() == []


def test_beside_another_database_not_even_one_is_removed(stores: Stores) -> None:
    keys = put_orphans(stores, 1)
    stores.insert_ready(12)

    expected = {"failed": 1, "orphan_objects": 1, "orphans_kept": 1, "missing_objects": 12}
    assert counts(sweep()) == expected
    assert stores.keys() == keys


def test_beside_another_database_variants_are_kept_by_a_comparison_that_sees_no_original(
    stores: Stores,
) -> None:
    keys = [*put_orphans(stores, 1), "variants/0/w320.webp"]
    put(stores, keys[1])
    stores.insert_ready(1)
    stores.execute("INSERT INTO sweep_progress (compared_until) VALUES ('originals/~')")

    assert counts(sweep()) == {"failed": 1, "orphan_objects": 1, "orphans_kept": 1}
    assert stores.keys() == keys


@pytest.mark.parametrize(
    ("images", "orphaned", "kept"),
    [(2, 1, False), (3, 2, True), (17, 2, True), (18, 2, False)],
)
def test_one_is_removed_and_a_small_share(stores: Stores, images: int, orphaned: int, kept: bool) -> None:
    owned = put_images(stores, images)
    found = put_orphans(stores, orphaned)
    expected = {"orphan_objects": orphaned} | ({"orphans_kept": orphaned} if kept else {})

    assert counts(sweep(dry_run=True)) == expected
    assert counts(sweep()) == expected
    assert stores.keys() == owned + (found if kept else [])


def test_variants_and_incoming_files_do_not_count(stores: Stores) -> None:
    owned = put_images(stores, 1)
    for number in range(12):
        put(stores, f"variants/{number}/w320.webp")
        put(stores, f"incoming/{number}")

    assert counts(sweep()) == {"orphan_objects": 24}
    assert stores.keys() == owned


def test_variants_and_incoming_files_are_kept_with_the_originals(stores: Stores) -> None:
    put_images(stores, 1)
    put_orphans(stores, 2)
    put(stores, "variants/0/w320.webp")
    put(stores, "incoming/0")
    before = stores.keys()

    assert counts(sweep()) == {"orphan_objects": 4, "orphans_kept": 4}
    assert stores.keys() == before


def test_each_comparison_that_time_cuts_off_decides_by_what_it_has_seen(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an older database: all originals newer than it come last."""
    owned = put_images(stores, 30)
    found = put_orphans(stores, 4)
    monkeypatch.setattr(s3, "LIST_PAGE", 32)

    first, second = sweep(time_left=100), sweep(time_left=100)

    assert counts(first) == {"orphan_objects": 2}  # of 32
    assert counts(second) == {"orphan_objects": 2, "orphans_kept": 2}  # of 2
    assert stores.keys() == owned + found[2:]


def test_a_comparison_that_has_kept_orphans_keeps_all_until_its_end(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an older database, what was uploaded since has no row: neither originals nor the rest."""
    put_images(stores, 1)
    put_orphans(stores, 2)
    put(stores, "incoming/0")
    put(stores, "variants/0/w320.webp")
    before = stores.keys()
    ends = ["originals/~", "incoming/0", "incoming/~", "variants/0/w320.webp", ""]
    monkeypatch.setattr(s3, "LIST_PAGE", 3)

    assert sweep(time_left=100)["orphans_kept"] == 2
    assert [sweep(time_left=100)["compared_until"] for _ in ends] == ends
    assert stores.keys() == before

    for key in before:
        if "orphan" in key:
            stores.client.delete_object(Bucket=stores.s3.bucket, Key=key)
    assert counts(sweep()) == {"orphan_objects": 2}
