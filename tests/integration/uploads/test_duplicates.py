"""The same bytes twice: ``on_duplicate`` and ``duplicate_of``."""

from hashlib import sha256

import pytest

from tests.integration.client import upload, upload_event
from tests.integration.lifecycle import announce_and_post, complete, delete_for_good, get_image
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.worker import answer_at_once, workers

PICTURE = pictures.jpeg()


def test_what_becomes_of_the_same_bytes(stores: Stores) -> None:
    first, second = upload(PICTURE, {"title": "first"}), upload(PICTURE, on_duplicate="allow")
    third = complete(announce_and_post(PICTURE))
    assert [first.status, second.status, third.status] == [201, 201, 201]
    assert first.image["duplicate_of"] is None
    assert second.image["duplicate_of"] == third.image["duplicate_of"] == first.image["id"]

    returned = upload(PICTURE, {"title": "fourth"}, on_duplicate="return")
    assert (returned.status, returned.image) == (200, first.image)
    rejected = upload(PICTURE, on_duplicate="reject")
    assert rejected.error == (409, "image_duplicate")
    assert rejected.body["error"]["details"] == {"duplicate_of": first.image["id"]}
    assert len(stores.rows()) == len(stores.keys()) == 3


@pytest.mark.parametrize("on_duplicate", ["return", "reject"])
def test_what_is_no_first(stores: Stores, on_duplicate: str) -> None:
    """Other bytes and a refused upload do not count as the first image."""
    upload(PICTURE)
    broken = pictures.truncated(pictures.noisy("JPEG"))

    for _ in range(2):
        assert upload(broken, on_duplicate=on_duplicate).code == "image_corrupt"
    other = upload(pictures.jpeg(seed="other"), on_duplicate=on_duplicate)

    assert (other.status, other.image["duplicate_of"]) == (201, None)
    assert len(stores.rows()) == len(stores.keys()) == 2


def test_of_two_rejects_at_once_one_succeeds(stores: Stores) -> None:
    with workers(stores.environment, 2) as two:
        for attempt in range(10):
            event = upload_event(pictures.jpeg(seed=attempt), on_duplicate="reject")

            answers = sorted(answer_at_once(two, event), key=lambda answer: answer.status)

            assert [answer.status for answer in answers] == [201, 409]
            assert answers[1].code in ("image_duplicate", "upload_in_progress")
            assert stores.statuses() == ["ready"] * (attempt + 1)
            assert len(stores.keys()) == attempt + 1


@pytest.mark.parametrize(("on_duplicate", "status"), [("return", 200), ("reject", 409)])
def test_duplicate_of_an_upload_at_work_has_to_wait(stores: Stores, on_duplicate: str, status: int) -> None:
    with stores.paused_at(upload_event(PICTURE), "storage.s3.put_object", "after") as first:
        second = upload(PICTURE, on_duplicate=on_duplicate)

        assert second.error == (409, "upload_in_progress")
        assert int(second.headers["retry-after"][0]) >= 1
        assert first.finish().status == 201
    assert upload(PICTURE, on_duplicate=on_duplicate).status == status
    assert stores.statuses() == ["ready"]


def test_the_first_of_many_copies_goes_at_once(stores: Stores) -> None:
    """The deletion rewrites no copy, even if there are many."""
    first = upload(PICTURE).image
    copies = stores.insert_ready(3_000, sha256=sha256(PICTURE).digest())
    rows = "SELECT xmin::text, id FROM image_metadata WHERE id <> %s ORDER BY id"
    before = stores.execute(rows, (first["id"],))

    assert delete_for_good(first["id"]).status == 204

    assert stores.execute(rows, (first["id"],)) == before
    assert get_image(copies[0]).image["duplicate_of"] is None
    assert get_image(copies[-1]).image["duplicate_of"] == copies[0]
