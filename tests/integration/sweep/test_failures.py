"""While a store is down, the sweep fails. The next sweep settles everything."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.catalog import uploads
from imageapi.decoder.client import Inspection
from imageapi.errors import DatabaseUnavailableError, StorageUnavailableError, TooComplexError
from imageapi.storage import s3
from imageapi.sweep import expired_rows, run
from imageapi.sweep.report import Count
from imageapi.uploads import complete
from imageapi.uploads.undo import undo_expired

from tests.integration.client import upload
from tests.integration.leftovers import PICTURE, counts, cut_delete, cut_render, expire, put, upload_and_view
from tests.integration.lifecycle import (
    announce,
    announce_and_post,
    fetch,
    get_image,
    post_file,
    sweep,
    watch_keys,
)
from tests.integration.stores import Configure, Stores, stopped


def leave_something_of_each_kind(stores: Stores) -> str:
    announce(PICTURE)
    arrived = announce_and_post(PICTURE)
    cut_delete(stores, "database.db.query_as_actor", "after")
    cut_render(stores, "storage.s3.put_object", "after")
    put(stores, "originals/orphan")
    expire(stores)
    return arrived


EXPECTED = {"finished": 2, "undone": 2, "orphan_objects": 1}


@pytest.mark.parametrize("down", ["s3", "postgres"])
def test_a_store_is_down(stores: Stores, down: str) -> None:
    arrived = leave_something_of_each_kind(stores)
    error = StorageUnavailableError if down == "s3" else DatabaseUnavailableError

    with stopped(stores.s3 if down == "s3" else stores.postgres):
        for dry_run in (True, False):
            with pytest.raises(error):
                sweep(dry_run=dry_run)

    # The failed sweep holds leases for a minute.
    expire(stores)
    assert counts(sweep()) == EXPECTED
    assert fetch(get_image(arrived).image["urls"]["original"]).data == PICTURE
    assert sorted(stores.statuses()) == ["failed", "ready", "ready"]
    assert len(stores.keys()) == 3


@pytest.mark.parametrize(
    ("error", "sweeps", "attempts"),
    [(StorageUnavailableError, complete.MAX_ATTEMPTS + 1, 0), (ValueError, 1, 1)],
)
def test_what_cannot_be_settled_does_not_keep_the_others(
    stores: Stores, error: type[Exception], sweeps: int, attempts: int
) -> None:
    """A store outage does not count as an attempt. An unknown error does: the row may be the cause."""
    failing, other = announce_and_post(PICTURE), announce_and_post(PICTURE)
    images = [upload(PICTURE).image["id"] for _ in range(3)]
    for image_id in images:
        stores.insert_variant(image_id, "w320.jpg", "pending")

    def fail_for(part: str, call: Callable[..., Any]) -> Any:
        def run(key: str, *args: Any, **options: Any) -> Any:
            if part in key:
                raise error()
            return call(key, *args, **options)

        return patch.object(s3, call.__name__, run)

    with fail_for(failing, s3.download), fail_for(f"variants/{images[0]}", s3.object_exists):
        for number in range(sweeps):
            expire(stores)
            others = {} if number else {"finished": 1, "variants_removed": 2}
            assert counts(sweep()) == {"failed": 2} | others
    assert get_image(other).status == 200
    found = stores.execute("SELECT attempts FROM uploads WHERE id = %s", (failing,))
    assert found == [{"attempts": attempts}]

    expire(stores)
    assert counts(sweep()) == {"finished": 1, "variants_removed": 1}


@patch.object(expired_rows, "BATCH", 2)
def test_rows_that_were_tried_before_come_last(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that uses up all the time of every sweep does not block the others."""
    slow, *others = (announce_and_post(PICTURE) for _ in range(4))
    stores.execute("UPDATE uploads SET expires_at = now() - interval '1 hour'")
    assert uploads.acquire_lease(slow, lease_seconds=-60)
    tried = watch_keys(monkeypatch, "download")

    assert counts(sweep()) == {"finished": 4}
    assert tried == [f"incoming/{image_id}" for image_id in [*others, slow]]


@patch.object(expired_rows, "BATCH", 2)
def test_one_sweep_tries_an_upload_once(stores: Stores) -> None:
    """An upload that fails for lack of memory may succeed an hour later, but not at once."""
    ids = sorted(announce_and_post(PICTURE) for _ in range(3))
    expire(stores)
    with patch.object(Inspection, "wait", side_effect=TooComplexError):
        assert counts(sweep()) == {"failed": 3}
        assert counts(sweep()) == {}
    assert stores.execute("SELECT DISTINCT attempts FROM uploads") == [{"attempts": 1}]

    expire(stores)
    assert counts(sweep()) == {"finished": 3}
    assert sorted(row["id"] for row in stores.rows()) == ids


def test_an_upload_that_was_opened_again_is_not_undone(stores: Stores) -> None:
    """The client requests another form after the sweep has read the upload as expired."""
    announced = announce(PICTURE, idempotency_key="k").body["data"]
    expire(stores)
    (expired,) = uploads.find_expired(None, 10)
    assert announce(PICTURE, idempotency_key="k").status == 200

    assert not undo_expired(expired)
    assert stores.statuses() == ["pending"]
    assert post_file(announced["form"], PICTURE) < 300


@pytest.mark.parametrize("bucket", ["missing", "another"])
def test_beside_another_bucket_no_row_is_settled(stores: Stores, configure: Configure, bucket: str) -> None:
    """Otherwise, arrived uploads would count as never sent, and variants as lost."""
    upload_and_view()
    waiting = announce_and_post(PICTURE)
    cut_delete(stores, "storage.s3.delete_objects", "before")
    expire(stores)
    before = (stores.statuses(), stores.variants(), stores.keys())
    if bucket == "another":
        stores.client.create_bucket(Bucket="another-bucket")
    configure(MINIO_BUCKET_NAME=f"{bucket}-bucket")

    report = run.sweep(dry_run=False, compare=bucket == "another")

    assert report.is_another_bucket
    assert report.counts[Count.FAILED] == 1
    configure(**stores.environment)
    assert (stores.statuses(), stores.variants(), stores.keys()) == before
    assert counts(sweep()) == {"finished": 1, "undone": 1}
    assert waiting in {row["id"] for row in stores.rows()}


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_row_is_begun_when_time_runs_out(stores: Stores, dry_run: bool) -> None:
    for _ in range(3):
        announce_and_post(PICTURE)
    expire(stores)
    answers = iter([True, False])

    report = run.sweep(dry_run=dry_run, compare=False, has_time=lambda: next(answers))

    assert (report.counts[Count.FINISHED], report.rows_left) == (1, True)
    assert sweep(dry_run=True, has_time=False)["finished"] == 0
    assert counts(sweep()) == {"finished": 3 if dry_run else 2}
