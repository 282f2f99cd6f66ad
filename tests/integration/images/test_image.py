"""GET and PATCH of existing and missing images, also several at once."""

import pytest

from tests.integration.client import Json, get, upload
from tests.integration.images.examples import METADATA, NOWHERE, PICTURE, etag_of, shown
from tests.integration.lifecycle import (
    delete_for_good,
    get_image,
    image_event,
    patch_image,
    restore_image,
    trash_image,
)
from tests.integration.stores import Stores
from tests.support.worker import answer_at_once, workers


@pytest.mark.parametrize("status", ["pending", "failed", "deleting", "nowhere", "malformed"])
def test_what_is_not_ready_is_not_there(stores: Stores, status: str) -> None:
    (ready,) = stores.insert_ready()
    others = {"nowhere": NOWHERE, "malformed": "nonsense"}
    image_id = others.get(status) or stores.insert_unready(status)
    before = stores.rows()

    answers = [get_image(image_id), patch_image(image_id, {"title": "x"})]
    if status != "deleting":  # a DELETE would finish it
        answers += [trash_image(image_id), delete_for_good(image_id)]
    assert stores.rows() == before
    answers.append(restore_image(image_id))

    assert {answer.error for answer in answers} == {(404, "image_not_found")}
    assert not any("details" in answer.body["error"] for answer in answers)
    assert [image["id"] for image in get("/api/images").body["images"]] == [ready]
    assert get("/api/database/status").body["image_count"] == 1


def test_a_copy_is_another_when_its_original_is_gone(image: Json) -> None:
    copy = upload(PICTURE).image
    etag = etag_of(copy["id"])
    assert get_image(copy["id"]).image["duplicate_of"] == image["id"]
    delete_for_good(image["id"])

    answer = get_image(copy["id"], If_None_Match=etag)

    assert (answer.status, answer.image["duplicate_of"]) == (200, None)
    assert patch_image(copy["id"], {"title": "y"}, If_Match=etag).status == 200


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"title": None, "tags": None}, {"title": "", "tags": []}),
        (all_changes := {"title": "a", "description": "b", "category": "c", "tags": ["d"]}, all_changes),
    ],
)
def test_patch_changes_what_it_names_and_nothing_else(image: Json, changes: Json, changed: Json) -> None:
    before = etag_of(image["id"])

    answer = patch_image(image["id"], changes)

    assert answer.status == 200
    times = {"updated_at": answer.image["updated_at"]}
    assert shown(answer.image) == shown(image) | changed | times | {"version": 2}
    assert shown(get_image(image["id"]).image) == shown(answer.image)
    assert answer.image["updated_at"] > image["updated_at"]
    assert answer.headers["etag"] == [etag_of(image["id"])] != [before]


def test_of_patches_at_once_with_one_if_match_one_wins(stores: Stores, image: Json) -> None:
    with workers(stores.environment, 4) as processes:
        for round_number in range(3):
            headers = {"If-Match": etag_of(image["id"])}
            event = image_event("PATCH", image["id"], {"title": str(round_number)}, headers)
            answers = answer_at_once(processes, event)
            assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    assert get_image(image["id"]).image["title"] == "2"
    assert stores.rows()[0]["version"] == 4


def test_patches_at_once_of_different_fields_all_count(stores: Stores, image: Json) -> None:
    changes: list[Json] = [{"title": "t"}, {"description": "d"}, {"category": "c"}, {"tags": ["x"]}]
    with workers(stores.environment, len(changes)) as processes:
        for process, change in zip(processes, changes, strict=True):
            process.send(image_event("PATCH", image["id"], change))
        assert [process.answer().status for process in processes] == [200] * len(changes)

    found = get_image(image["id"]).image
    assert [found[field] for field in METADATA] == ["t", "d", "c", ["x"]]
