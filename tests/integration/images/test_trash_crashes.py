"""The trash when a store fails, the process is killed, or a deploy happens in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from imageapi.catalog import variants

from tests.integration.analyses import queue
from tests.integration.client import Json, get
from tests.integration.images.conftest import REMOVAL, WEBP
from tests.integration.images.test_trash import types
from tests.integration.leftovers import counts, die, expire
from tests.integration.lifecycle import (
    delete_for_good,
    fetch,
    get_image,
    patch_image,
    restore_image,
    sweep,
    trash_event,
    trash_image,
)
from tests.integration.stores import Configure, Stores, failing


@pytest.mark.parametrize("remove", [trash_image, delete_for_good])
def test_a_removal_that_the_store_refused_is_repeatable(stores: Stores, viewed: Json, remove: Any) -> None:
    with failing("delete_objects"):
        assert remove(viewed["id"]).status == 503
    kept, change = (["trashed"], "image.trashed") if remove is trash_image else ([], "image.deleted")
    assert sorted(stores.statuses()) == ["deleting", *kept]
    assert get_image(viewed["id"]).status == patch_image(viewed["id"], {"title": "x"}).status == 404
    assert get("/api/images").body["images"] == []

    assert remove(viewed["id"]).status == 204
    assert stores.statuses() == kept
    assert stores.keys() == [viewed["s3_key"]] * len(kept)
    assert types(stores, viewed["id"]) == ["image.uploaded", change]


def test_a_restore_first_removes_what_a_killed_trash_left(stores: Stores, viewed: Json) -> None:
    die(stores, trash_event(viewed["id"]), REMOVAL, "before")
    expire(stores)
    with failing("delete_objects"):
        assert restore_image(viewed["id"]).status == 503
    assert sorted(stores.statuses()) == ["deleting", "trashed"]

    assert restore_image(viewed["id"]).status == 200

    assert stores.statuses() == ["ready"]
    assert stores.keys() == [viewed["s3_key"]]
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200
    assert counts(sweep()) == {}
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200


def test_the_marker_comes_after_the_variants(stores: Stores, viewed: Json, configure: Configure) -> None:
    """Otherwise, CloudFront could cache a variant again before its removal."""
    configure(EDGE="true")
    die(stores, trash_event(viewed["id"]), "storage.s3.put_object", "before", variables={"EDGE": "true"})
    assert stores.keys() == [viewed["s3_key"]]
    expire(stores)

    sweep()

    assert stores.keys() == sorted([f"invalidations/{viewed['id']}", viewed["s3_key"]])
    assert stores.statuses() == ["trashed"]


@contextmanager
def added_column(stores: Stores, *tables: str, definition: str) -> Iterator[None]:
    """Add a column ``added`` that this code does not use."""
    for table in tables:
        stores.execute(f"ALTER TABLE {table} ADD COLUMN added {definition}")
    try:
        yield
    finally:
        for table in tables:
            stores.execute(f"ALTER TABLE {table} DROP COLUMN added")


def test_a_column_of_newer_code_survives(stores: Stores, image: Json) -> None:
    with added_column(stores, "image_metadata", "trashed_images", definition="text NOT NULL DEFAULT ''"):
        stores.execute("UPDATE image_metadata SET added = 'kept'")

        assert trash_image(image["id"]).status == 204
        assert restore_image(image["id"]).status == 200

        assert stores.execute("SELECT added FROM image_metadata") == [{"added": "kept"}]


def test_an_analysis_of_before_a_new_column_gets_its_default(stores: Stores, image: Json) -> None:
    queue(stores, image["id"])
    stores.execute("UPDATE image_analysis SET status = 'ready', caption = 'a cat', analyzed_at = now()")
    assert trash_image(image["id"]).status == 204
    with added_column(stores, "image_analysis", definition="text NOT NULL DEFAULT 'new'"):
        assert restore_image(image["id"]).status == 200

        found = stores.execute("SELECT caption, added FROM image_analysis")
        assert found == [{"caption": "a cat", "added": "new"}]


def test_a_lease_of_before_the_trash_is_worth_nothing_after_it(stores: Stores, image: Json) -> None:
    before = variants.acquire_lease(image["id"], "w320.webp")
    assert before
    assert trash_image(image["id"]).status == 204
    assert restore_image(image["id"]).status == 200
    after = variants.acquire_lease(image["id"], "w320.webp")

    assert after
    assert not variants.mark_ready(image["id"], "w320.webp", before["lease_token"])
    assert variants.mark_ready(image["id"], "w320.webp", after["lease_token"])
