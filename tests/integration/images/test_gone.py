"""A permanent deletion leaves no text, EXIF or file name of the image in the database."""

from collections.abc import Callable

import pytest
from imageapi.catalog import pending_removals
from PIL import ExifTags

from tests.integration.changes.reading import changes
from tests.integration.client import send, upload
from tests.integration.images.test_batch import batch_event
from tests.integration.leftovers import expire
from tests.integration.lifecycle import (
    announce_and_post,
    complete,
    delete_for_good,
    patch_image,
    restore_image,
    sweep,
    trash_image,
)
from tests.integration.stores import Stores, failing
from tests.support import pictures

MARKER = "xq7marker"
PICTURE = pictures.jpeg(exif={ExifTags.Base.Make: MARKER, ExifTags.Base.Model: MARKER})
METADATA = {"title": MARKER, "description": MARKER, "category": MARKER, "tags": [MARKER]}
SAFETY = f'{{"adult": "{MARKER}"}}'


def new_image(stores: Stores) -> str:
    """Upload an image with the marker in all current and previous fields, and in two analyses."""
    image = upload(PICTURE, METADATA, filename=f"{MARKER}.jpg", idempotency_key=MARKER).image
    assert MARKER in str(image["exif"])
    assert patch_image(image["id"], {"title": f"{MARKER} 2", "tags": [f"{MARKER} 2"]}).status == 200
    stores.execute("INSERT INTO image_analysis (image_id, status) VALUES (%s, 'queued')", (image["id"],))
    for text in (f"{MARKER}1", f"{MARKER}2"):
        stores.execute(
            """UPDATE image_analysis SET status = 'ready', analyzed_at = clock_timestamp(), model = %s,
                   caption = %s, tags = %s, text_seen = %s, safety = %s WHERE image_id = %s""",
            (text, text, [text], text, SAFETY, image["id"]),
        )
    return str(image["id"])


def find_marker(stores: Stores) -> set[str]:
    """The tables that contain the marker in any column."""
    tables = stores.execute(
        """SELECT oid::regclass AS name FROM pg_class WHERE relkind IN ('r', 'm')
           AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"""
    )
    assert len(tables) > 10
    return {
        table["name"]
        for table in tables
        if stores.execute(f"SELECT 1 FROM {table['name']} AS t WHERE t::text LIKE '%{MARKER}%'")
    }


def by_batch(stores: Stores, image_id: str) -> None:
    assert send(batch_event([image_id], "delete", key="a batch")).status == 200


def from_the_trash(stores: Stores, image_id: str) -> None:
    trash_image(image_id)
    restore_image(image_id)
    trash_image(image_id)
    assert delete_for_good(image_id).status == 204


def by_the_sweep(stores: Stores, image_id: str) -> None:
    trash_image(image_id)
    stores.execute("UPDATE trashed_images SET purge_after = now() - interval '1 s'")
    assert sweep()["purged"] == 1


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("delete", [from_the_trash, by_batch, by_the_sweep])
def test_a_deletion_for_good(stores: Stores, delete: Callable[[Stores, str], object], numbered: bool) -> None:
    image_id = new_image(stores)
    if numbered:
        changes()
        assert "partitions.changes_0" in find_marker(stores)

    delete(stores, image_id)

    assert find_marker(stores) <= {"facet_changes", "facet_counts"}  # names of all images, until a sweep
    sweep()
    assert find_marker(stores) == set()
    found = changes()
    assert found[-1]["type"] == "image.deleted"
    assert {(change["before"], change["after"]) for change in found} == {(None, None)}


def test_a_crash_before_the_text_is_removed_is_finished_by_the_sweep(stores: Stores) -> None:
    image_id = new_image(stores)
    changes()
    with failing("delete_objects"):
        assert delete_for_good(image_id).status == 503
    assert "partitions.changes_0" in find_marker(stores)
    assert pending_removals.find_pending([image_id])
    expire(stores)
    sweep()
    assert find_marker(stores) == set()


def test_a_refused_upload_keeps_its_code_alone(stores: Stores) -> None:
    upload_id = announce_and_post(pictures.jpeg()[:200], filename=f"{MARKER}.jpg", metadata=METADATA)
    assert MARKER in str(stores.rows())
    for _ in range(2):
        assert complete(upload_id).status == 422
        assert find_marker(stores) == set()


def test_images_that_stay_keep_their_text(stores: Stores) -> None:
    kept, gone = new_image(stores), upload(PICTURE).image["id"]
    before = stores.changes(kept)
    delete_for_good(gone)
    assert stores.changes(kept) == before
