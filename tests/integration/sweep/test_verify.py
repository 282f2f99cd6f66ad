"""After a restore, `verify` compares rows with objects, and brings objects back from their versions."""

from collections.abc import Iterator

import pytest
from imageapi.database import db
from imageapi.sweep import verify as module
from imageapi.sweep.compare_stores import read_id
from imageapi.sweep.verify import verify

from tests.faults.moments import moments
from tests.integration.client import Json, upload
from tests.integration.conftest import forget_settings
from tests.integration.leftovers import PICTURE, expire, put, remove, upload_and_view
from tests.integration.lifecycle import (
    announce_and_post,
    delete_for_good,
    fetch,
    ingest,
    restore_image,
    sweep,
    trash_image,
)
from tests.integration.stores import Row, Stores
from tests.support import pictures
from tests.support.events import LambdaContext, load_handler
from tests.support.settings import set_environment

KINDS = ("missing", "different", "lost", "restored")


@pytest.fixture(scope="module")
def both(servers: Stores) -> Iterator[Stores]:
    with moments(servers, "verifying") as made:
        yield made.stores


@pytest.fixture
def versioned(both: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """Both stores, empty, with versioning. The service uses them."""
    set_environment(monkeypatch, both.environment)
    forget_settings()
    both.clear()
    yield both
    db.close()
    forget_settings()


def run(*, restore: bool = False) -> Json:
    """Run the comparison; returns its lists that are not empty."""
    found = load_handler("SweepFunction")({"verify": {"restore": restore}}, LambdaContext())
    assert found["after"] == ""
    return {kind: found[kind] for kind in KINDS if found[kind]}


def insert_again(stores: Stores, table: str, rows: list[Row]) -> None:
    """Insert a row again, which was read as JSON."""
    sql = f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, %(row)s)"
    stores.execute(sql, rows[0])


def count_versions(stores: Stores, key: str) -> int:
    found = stores.client.list_object_versions(Bucket=stores.s3.bucket, Prefix=key)
    return len(found.get("Versions", []))


def test_an_original_comes_back_if_a_version_has_the_checksum_of_its_row(versioned: Stores) -> None:
    removed, overwritten, trashed, deleted, right = (upload(PICTURE).image for _ in range(5))
    keys = [image["s3_key"] for image in (removed, overwritten, trashed)]
    trash_image(trashed["id"])
    delete_for_good(deleted["id"])
    never, never_right = (f"originals/{image_id}.jpg" for image_id in versioned.insert_ready(2))
    remove(versioned, keys[0])
    put(versioned, keys[1])
    put(versioned, keys[1], data=b"and others")
    remove(versioned, keys[2])
    put(versioned, never_right)
    before = versioned.keys()

    found = verify(restore=False)
    assert (found.images, found.originals, found.variants, found.after) == (6, 6, 0, "")
    assert run() == {"missing": [keys[0], keys[2], never], "different": [keys[1], never_right]}
    assert versioned.keys() == before
    assert sorted(sweep()["missing_ids"]) == sorted([removed["id"], trashed["id"], read_id(never)])
    wrong = {"missing": [never], "different": [never_right]}
    assert run(restore=True) == {"restored": keys} | wrong
    assert run() == wrong

    assert restore_image(trashed["id"]).status == 200
    for key in keys:
        data, answer = versioned.object(key)
        assert data == PICTURE
        assert answer["ContentType"] == "image/jpeg"
        assert answer["CacheControl"] == "public, max-age=31536000, immutable"
    assert versioned.keys() == sorted([*keys, right["s3_key"], never_right])
    assert [count_versions(versioned, key) for key in (keys[1], deleted["s3_key"])] == [4, 1]


def test_a_trashed_image_that_is_in_a_restored_database_again(versioned: Stores) -> None:
    """It was deleted permanently after the restored moment."""
    image = upload_and_view()
    trash_image(image["id"])
    before = versioned.execute("SELECT row_to_json(trashed_images)::text AS row FROM trashed_images")
    delete_for_good(image["id"])
    insert_again(versioned, "trashed_images", before)

    assert run(restore=True) == {"restored": [image["s3_key"]]}
    assert restore_image(image["id"]).status == 200
    assert fetch(image["urls"]["thumbnail"]).status == 200


def test_bytes_are_read_where_the_store_has_no_checksum(versioned: Stores) -> None:
    """Another program may have copied the object there."""
    right, wrong = (upload(PICTURE).image["s3_key"] for _ in range(2))
    put(versioned, right, data=PICTURE)
    put(versioned, wrong, data=PICTURE[:-1] + b"!")
    head = versioned.client.head_object(Bucket=versioned.s3.bucket, Key=right, ChecksumMode="ENABLED")
    assert "ChecksumSHA256" not in head

    assert run() == {"different": [wrong]}


def test_a_lost_variant_is_rendered_again_but_not_beside_another_bucket(versioned: Stores) -> None:
    image = upload_and_view()
    key = f"variants/{image['id']}/w320.webp"
    found = verify(restore=False)
    assert (found.images, found.originals, found.variants, run()) == (1, 1, 1, {})

    remove(versioned, key)
    assert run() == {"lost": [key]}
    assert versioned.variants() == [("w320.webp", "ready")]
    assert run(restore=True) == {"restored": [key]}
    assert fetch(image["urls"]["thumbnail"], "image/webp").status == 200
    assert run() == {}

    versioned.clear()
    (image_id,) = versioned.insert_ready()
    versioned.insert_variant(image_id, "w320.webp", "ready")
    lost = {"missing": [f"originals/{image_id}.jpg"], "lost": [f"variants/{image_id}/w320.webp"]}
    assert run(restore=True) == lost
    assert versioned.variants() == [("w320.webp", "ready")]


def test_the_file_of_a_pending_upload_comes_back_and_the_sweep_finishes_it(versioned: Stores) -> None:
    """The restored moment is between its arrival and its completion."""
    image_id = announce_and_post(PICTURE)
    before = versioned.execute("SELECT row_to_json(uploads)::text AS row FROM uploads")
    ingest(image_id)
    delete_for_good(image_id)
    insert_again(versioned, "uploads", before)

    assert run() == {}
    assert run(restore=True) == {"restored": [f"incoming/{image_id}"]}
    expire(versioned)
    assert sweep()["finished"] == 1

    assert versioned.keys() == [f"originals/{image_id}.jpg"]
    assert run() == {}


def test_an_image_that_is_deleted_while_its_file_comes_back(versioned: Stores) -> None:
    image = upload(PICTURE).image
    remove(versioned, image["s3_key"])
    event = {"verify": {"restore": True}}
    target = "storage.versions.copy_version"
    with versioned.paused_at(event, target, "before", function="SweepFunction") as process:
        assert delete_for_good(image["id"]).status == 204
        process.resume()
        process.read_response()

    assert versioned.is_empty()


def test_it_goes_on_where_it_was_stopped(versioned: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    keys = [upload(pictures.png(seed=number)).image["s3_key"] for number in range(5)]
    remove(versioned, *keys)

    slices = [verify(restore=False, has_time=lambda: False)]
    while after := slices[-1].after:
        slices.append(verify(restore=False, after=after, has_time=lambda: False))

    assert [found.originals for found in slices[:4]] == [2, 2, 1, 0]
    assert [key for found in slices for key in found.missing] == keys


def test_without_versions_nothing_comes_back(stores: Stores) -> None:
    key = upload(PICTURE).image["s3_key"]
    remove(stores, key)

    assert run(restore=True) == {"missing": [key]}
