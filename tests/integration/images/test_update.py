"""PATCH: what it changes, If-Match, and several at once."""

import json
from typing import Any

import pytest

from tests.integration.client import send
from tests.integration.images.examples import METADATA, etag_of, shown
from tests.integration.lifecycle import get_image, image_event, patch_image
from tests.integration.stores import Stores
from tests.support.worker import answer_at_once, workers


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"title": "朝焼け"}, {"title": "朝焼け"}),
        ({"description": ""}, {"description": ""}),
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"title": None, "tags": None}, {"title": "", "tags": []}),
        (all_changes := {"title": "a", "description": "b", "category": "c", "tags": ["d"]}, all_changes),
    ],
)
def test_patch_changes_what_it_names_and_nothing_else(
    image: dict[str, Any], changes: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = etag_of(image["id"])

    answer = patch_image(image["id"], changes)

    assert answer.status == 200
    assert shown(answer.image) == shown(image) | changed | {"updated_at": answer.image["updated_at"]}
    assert shown(get_image(image["id"]).image) == shown(answer.image)
    assert answer.image["updated_at"] > image["updated_at"]
    assert answer.headers["etag"] == [etag_of(image["id"])] != [before]


def test_patch_of_nothing_changes_nothing(image: dict[str, Any]) -> None:
    etag = etag_of(image["id"])

    answer = patch_image(image["id"], {}, If_Match=etag)

    assert (answer.status, answer.headers["etag"]) == (200, [etag])
    assert shown(answer.image) == shown(image)


@pytest.mark.parametrize(
    ("body", "query", "error"),
    [
        ("{", {}, (400, "body_not_json")),
        ("[]", {}, (422, "body_not_an_object")),
        ('{"title": "a", "s3_key": "x"}', {}, (422, "metadata_unknown_field")),
        (json.dumps({"description": "x" * 70_000}), {}, (422, "body_too_long")),
        ('{"title": "new"}', {"forse": "1"}, (400, "parameter_unknown")),
    ],
)
def test_patch_refused(
    image: dict[str, Any], body: str, query: dict[str, str], error: tuple[int, str]
) -> None:
    etag = etag_of(image["id"])

    assert send(image_event("PATCH", image["id"], body, query=query)).error == error

    assert etag_of(image["id"]) == etag
    assert shown(get_image(image["id"]).image) == shown(image)


def test_patch_of_an_older_version_is_refused(image: dict[str, Any]) -> None:
    old = etag_of(image["id"])
    new = patch_image(image["id"], {"title": "first"}, If_Match=old).headers["etag"][0]

    for header in (old, f'{old}, "99"', "nonsense"):
        for changes in ({"title": "second"}, {}):
            assert patch_image(image["id"], changes, If_Match=header).error == (412, "version_mismatch")
    assert get_image(image["id"]).image["title"] == "first"

    for title, header in (("third", new), ("fourth", "*"), ("fifth", f'{old}, "4"')):
        assert patch_image(image["id"], {"title": title}, If_Match=header).image["title"] == title


def test_of_patches_at_once_with_one_if_match_one_wins(stores: Stores, image: dict[str, Any]) -> None:
    with workers(stores.environment, 4) as processes:
        for round_number in range(3):
            headers = {"If-Match": etag_of(image["id"])}
            event = image_event("PATCH", image["id"], {"title": str(round_number)}, headers)
            answers = answer_at_once(processes, event)
            assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    assert get_image(image["id"]).image["title"] == "2"
    assert stores.rows()[0]["version"] == 4


def test_patches_at_once_of_different_fields_all_count(stores: Stores, image: dict[str, Any]) -> None:
    changes: list[dict[str, Any]] = [{"title": "t"}, {"description": "d"}, {"category": "c"}, {"tags": ["x"]}]
    with workers(stores.environment, len(changes)) as processes:
        for process, change in zip(processes, changes, strict=True):
            process.send(image_event("PATCH", image["id"], change))
        assert [process.answer().status for process in processes] == [200] * len(changes)

    found = get_image(image["id"]).image
    assert [found[field] for field in METADATA] == ["t", "d", "c", ["x"]]
