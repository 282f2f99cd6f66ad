"""GET of an image that has not changed, and what counts as a change."""

from typing import Any

from tests.integration.client import upload
from tests.integration.images.examples import PICTURE, etag_of
from tests.integration.lifecycle import delete_for_good, get_image, patch_image


def test_get_is_not_answered_again_while_nothing_has_changed(image: dict[str, Any]) -> None:
    etag = etag_of(image["id"])

    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = get_image(image["id"], If_None_Match=header)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, None, [etag])

    patch_image(image["id"], {"title": "new"})

    answer = get_image(image["id"], If_None_Match=etag)
    assert (answer.status, answer.image["title"]) == (200, "new")


def test_not_modified_is_kept_as_the_image_is(image: dict[str, Any]) -> None:
    answer = get_image(image["id"], If_None_Match="*")
    assert (answer.status, answer.headers["cache-control"]) == (304, ["private, no-cache"])


def test_a_copy_is_another_when_its_original_is_gone(image: dict[str, Any]) -> None:
    copy = upload(PICTURE).image
    etag = etag_of(copy["id"])
    assert get_image(copy["id"]).image["duplicate_of"] == image["id"]
    delete_for_good(image["id"])

    answer = get_image(copy["id"], If_None_Match=etag)

    assert (answer.status, answer.image["duplicate_of"]) == (200, None)
    assert patch_image(copy["id"], {"title": "y"}, If_Match=etag).status == 200
