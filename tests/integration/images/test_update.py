"""PATCH: what it changes, If-Match, and several at once."""

import json
from typing import Any

import pytest

from tests.integration.client import send
from tests.integration.images.examples import METADATA, etag_of, shown
from tests.integration.lifecycle import (
    get_image,
    image_event,
    patch_image,
)
from tests.integration.stores import Stores
from tests.support.worker import workers


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
        ("{", 400, "body_not_json"),
        ("[]", 422, "body_not_an_object"),
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


def test_a_parameter_that_is_not_known_changes_nothing(image: dict[str, Any]) -> None:
    event = image_event("PATCH", image["id"], {"title": "new"}, query={"forse": "1"})

    assert send(event).error == (400, "parameter_unknown")
    assert shown(get_image(image["id"]).image) == shown(image)
