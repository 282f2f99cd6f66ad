"""The trash during a deploy: rows that older code, or an older schema, wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imageapi.catalog import variants

from tests.integration.lifecycle import restore_image, trash_image
from tests.integration.stores import Stores


@contextmanager
def added_column(stores: Stores, *tables: str, definition: str) -> Iterator[None]:
    """A column ``added`` that this code does not know."""
    for table in tables:
        stores.execute(f"ALTER TABLE {table} ADD COLUMN added {definition}")
    try:
        yield
    finally:
        for table in tables:
            stores.execute(f"ALTER TABLE {table} DROP COLUMN added")


def test_a_column_of_newer_code_survives(stores: Stores, image: dict[str, Any]) -> None:
    with added_column(stores, "image_metadata", "trashed_images", definition="text NOT NULL DEFAULT ''"):
        stores.execute("UPDATE image_metadata SET added = 'kept'")

        assert trash_image(image["id"]).status == 204
        assert restore_image(image["id"]).status == 200

        assert stores.execute("SELECT added FROM image_metadata") == [{"added": "kept"}]


def test_an_analysis_from_before_a_column_was_added_gets_its_default(
    stores: Stores, image: dict[str, Any]
) -> None:
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, caption, analyzed_at)
           VALUES (%s, 'ready', 'a cat', now())""",
        (image["id"],),
    )
    assert trash_image(image["id"]).status == 204
    with added_column(stores, "image_analysis", definition="text NOT NULL DEFAULT 'new'"):
        assert restore_image(image["id"]).status == 200

        assert stores.execute("SELECT caption, added FROM image_analysis") == [
            {"caption": "a cat", "added": "new"}
        ]


def test_a_lease_of_before_the_trash_is_worth_nothing_after_it(stores: Stores, image: dict[str, Any]) -> None:
    before = variants.acquire_lease(image["id"], "w320.webp")
    assert before
    assert trash_image(image["id"]).status == 204
    assert restore_image(image["id"]).status == 200
    after = variants.acquire_lease(image["id"], "w320.webp")

    assert after
    assert not variants.mark_ready(image["id"], "w320.webp", before["lease_token"])
    assert variants.mark_ready(image["id"], "w320.webp", after["lease_token"])
