"""One image: ETag, changes, races, deletion."""

import json
import re
from typing import Any

import pytest
from imageapi.database import db
from imageapi.storage import s3

from tests.integration.client import get, send, upload
from tests.integration.lifecycle import (
    KEY,
    delete_image,
    fetch,
    get_image,
    image_event,
    open_link,
    patch_image,
)
from tests.integration.stores import Stores, fail
from tests.support import pictures
from tests.support.events import make_event
from tests.support.worker import Hook, answer_at_once, worker, workers

PICTURE = pictures.jpeg(400, 300)
METADATA = {"title": "夕焼け", "description": "海", "category": "風景", "tags": ["海", "空"]}


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    """An existing image."""
    return upload(PICTURE, METADATA).image


def etag_of(image_id: str) -> str:
    return get_image(image_id).headers["etag"][0]


def shown(image: dict[str, Any]) -> dict[str, Any]:
    """The image without its links, which change over time."""
    return {key: value for key, value in image.items() if key != "urls"}


def test_get_shows_what_upload_and_list_show(image: dict[str, Any]) -> None:
    answer = get_image(image["id"])

    assert answer.status == 200
    assert shown(answer.image) == shown(image) == shown(get("/api/images").body["images"][0])
    assert set(answer.image["urls"]) == {"original", "thumbnail", "preview"}
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"][0])
    assert answer.headers["cache-control"] == ["private, no-cache"]


def test_get_in_capitals_is_the_same_image(image: dict[str, Any]) -> None:
    assert get_image(image["id"].upper()).image["id"] == image["id"]


@pytest.mark.parametrize("status", ["pending", "deleting", "failed"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_is_not_ready_is_not_there(stores: Stores, status: str, method: str) -> None:
    image_id = stores.insert_unready(status)

    answer = get_image(image_id) if method == "GET" else patch_image(image_id, {"title": "x"})

    assert (answer.status, answer.code) == (404, "image_not_found")


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_delete_does_not_touch_what_is_not_ready(stores: Stores, status: str) -> None:
    image_id = stores.insert_unready(status)

    assert delete_image(image_id).status == 404
    assert stores.statuses() == [status]


@pytest.mark.parametrize(
    "image_id", ["nonsense", "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "%00", "1", "a" * 36]
)
def test_what_is_not_there(stores: Stores, image_id: str) -> None:
    for answer in (get_image(image_id), patch_image(image_id, {"title": "x"}), delete_image(image_id)):
        assert (answer.status, answer.code) == (404, "image_not_found")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "朝焼け"},
        {"description": ""},
        {"category": "山"},
        {"tags": ["a", "b", "a"]},
        {"tags": []},
        {"title": None, "tags": None},
        {"title": "a", "description": "b", "category": "c", "tags": ["d"]},
    ],
)
def test_patch_changes_what_it_names_and_nothing_else(image: dict[str, Any], changes: dict[str, Any]) -> None:
    before = etag_of(image["id"])

    answer = patch_image(image["id"], changes)

    expected = dict(METADATA)
    for field, value in changes.items():
        empty: Any = [] if field == "tags" else ""
        expected[field] = list(dict.fromkeys(value)) if field == "tags" and value else value or empty
    assert answer.status == 200
    assert {field: answer.image[field] for field in METADATA} == expected
    assert shown(get_image(image["id"]).image) == shown(answer.image)
    same = set(image) - set(METADATA) - {"updated_at", "urls"}
    assert {field: answer.image[field] for field in same} == {field: image[field] for field in same}
    assert answer.image["updated_at"] > image["updated_at"]
    assert answer.headers["etag"] != [before]
    assert answer.headers["etag"] == [etag_of(image["id"])]


def test_patch_of_nothing_changes_nothing(image: dict[str, Any]) -> None:
    etag = etag_of(image["id"])

    answer = patch_image(image["id"], {}, If_Match=etag)

    assert (answer.status, answer.headers["etag"]) == (200, [etag])
    assert shown(answer.image) == shown(image)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "body_not_json"),
        ("{", 400, "body_not_json"),
        ("[]", 422, "body_not_an_object"),
        ("null", 422, "body_not_an_object"),
        ('"title"', 422, "body_not_an_object"),
        ('{"title": 1}', 422, "metadata_wrong_type"),
        ('{"tags": "a"}', 422, "metadata_wrong_type"),
        ('{"title": "a\\u0000"}', 422, "metadata_invalid_text"),
        ('{"title": "\\ud800"}', 422, "metadata_invalid_text"),
        (json.dumps({"title": "x" * 201}), 422, "metadata_too_long"),
        ('{"id": "x"}', 422, "metadata_unknown_field"),
        ('{"title": "a", "s3_key": "x"}', 422, "metadata_unknown_field"),
        (json.dumps({"description": "x" * 70_000}), 422, "body_too_long"),
    ],
)
def test_patch_refused(image: dict[str, Any], body: str, status: int, code: str) -> None:
    etag = etag_of(image["id"])

    answer = patch_image(image["id"], body)

    assert (answer.status, answer.code) == (status, code)
    assert etag_of(image["id"]) == etag
    assert shown(get_image(image["id"]).image) == shown(image)


def test_patch_of_an_older_version_is_refused(image: dict[str, Any]) -> None:
    old = etag_of(image["id"])
    new = patch_image(image["id"], {"title": "first"}, If_Match=old).headers["etag"][0]

    for header in (old, f'{old}, "99"', '"99"', "nonsense", ""):
        for changes in ({"title": "second"}, {}):
            answer = patch_image(image["id"], changes, If_Match=header)
            assert (answer.status, answer.code) == (412, "version_mismatch")
    assert get_image(image["id"]).image["title"] == "first"

    assert patch_image(image["id"], {"title": "third"}, If_Match=new).image["title"] == "third"
    assert patch_image(image["id"], {"title": "fourth"}, If_Match="*").image["title"] == "fourth"
    either = f"{old}, {etag_of(image['id'])}"
    assert patch_image(image["id"], {"title": "fifth"}, If_Match=either).image["title"] == "fifth"


def test_of_patches_at_once_with_one_if_match_one_wins(stores: Stores, image: dict[str, Any]) -> None:
    with workers(stores.environment, 4) as processes:
        for round_number in range(5):
            etag = etag_of(image["id"])
            for number, process in enumerate(processes):
                changes = {"title": f"{round_number}.{number}"}
                process.send(image_event("PATCH", image["id"], changes, {"If-Match": etag}))
            answers = [process.answer() for process in processes]

            assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
            (winner,) = [answer for answer in answers if answer.status == 200]
            assert get_image(image["id"]).image["title"] == winner.image["title"]
    assert stores.rows()[0]["version"] == 6


def test_patches_at_once_of_different_fields_all_count(stores: Stores, image: dict[str, Any]) -> None:
    changes: list[dict[str, Any]] = [{"title": "t"}, {"description": "d"}, {"category": "c"}, {"tags": ["x"]}]
    with workers(stores.environment, len(changes)) as processes:
        for process, change in zip(processes, changes, strict=True):
            process.send(image_event("PATCH", image["id"], change))
        assert [process.answer().status for process in processes] == [200] * len(changes)

    found = get_image(image["id"]).image
    assert [found[field] for field in METADATA] == ["t", "d", "c", ["x"]]


def test_delete_leaves_nothing(stores: Stores, image: dict[str, Any]) -> None:
    for link in ("thumbnail", "preview"):
        assert fetch(image["urls"][link], "image/webp").status == 200
    assert len(stores.keys()) == 3

    answer = delete_image(image["id"])

    assert (answer.status, answer.body) == (204, None)
    assert stores.is_empty()
    assert not stores.execute("SELECT * FROM image_variants")
    assert delete_image(image["id"]).status == 404
    assert get_image(image["id"]).status == 404
    assert get("/api/images").body["images"] == []
    assert open_link(image["urls"]["original"]).status == 404


def test_delete_of_an_older_version_is_refused(stores: Stores, image: dict[str, Any]) -> None:
    old = etag_of(image["id"])
    patch_image(image["id"], {"title": "changed"})

    answer = delete_image(image["id"], If_Match=old)

    assert (answer.status, answer.code) == (412, "version_mismatch")
    assert fetch(image["urls"]["original"]).data == pictures.jpeg(400, 300)
    assert delete_image(image["id"], If_Match=f"{old}, {etag_of(image['id'])}").status == 204
    assert stores.is_empty()


def test_delete_takes_the_image_out_of_duplicate_of(stores: Stores) -> None:
    first, second, third = [upload(pictures.jpeg()).image for _ in range(3)]
    assert [second["duplicate_of"], third["duplicate_of"]] == [first["id"]] * 2

    delete_image(first["id"])

    assert get_image(second["id"]).image["duplicate_of"] is None
    assert get_image(third["id"]).image["duplicate_of"] == second["id"]
    assert upload(pictures.jpeg()).image["duplicate_of"] == second["id"]


def test_deletes_at_once_leave_nothing_and_none_fails(stores: Stores) -> None:
    with workers(stores.environment, 3) as processes:
        for _ in range(4):
            image = upload(pictures.jpeg()).image
            answers = answer_at_once(processes, image_event("DELETE", image["id"]))

            assert {answer.status for answer in answers} <= {204, 404}
            assert 204 in [answer.status for answer in answers]
            assert stores.is_empty()


def test_a_delete_that_the_store_refused_is_hidden_and_can_be_sent_again(
    stores: Stores, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3, "delete_objects", fail)
        assert delete_image(image["id"]).status == 503
    assert get_image(image["id"]).status == 404
    assert get("/api/images").body["images"] == []

    assert delete_image(image["id"]).status == 204
    assert stores.is_empty()


def test_patch_beside_delete_does_not_bring_the_image_back(stores: Stores, image: dict[str, Any]) -> None:
    with worker(stores.environment) as process:
        process.send(
            image_event("DELETE", image["id"]), Hook("storage.s3.delete_objects", "before", 1, "pause")
        )
        process.wait_paused()
        assert patch_image(image["id"], {"title": "x"}).status == 404
        process.resume()
        assert process.answer().status == 204
    assert stores.is_empty()


def test_an_id_that_never_was_costs_no_store(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "query", lambda *_: pytest.fail("the database was asked"))

    assert get_image("nonsense").status == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_parameter_that_is_not_known_changes_nothing(method: str, image: dict[str, Any]) -> None:
    event = make_event(method, f"/api/images/{image['id']}", KEY, {"forse": "1"}, body='{"title": "new"}')

    assert send(event).error == (400, "parameter_unknown")
    assert shown(get_image(image["id"]).image) == shown(image)
