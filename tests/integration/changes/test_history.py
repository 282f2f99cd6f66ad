"""GET /api/images/{id}/history."""

import pytest

from tests.integration.changes.reading import add, changes, history
from tests.integration.client import upload
from tests.integration.images.examples import PICTURE
from tests.integration.lifecycle import patch_image
from tests.integration.stores import Stores, new_id


def test_the_changes_of_one_image_newest_first(stores: Stores) -> None:
    image_id = upload(PICTURE).image["id"]
    upload(PICTURE)
    patch_image(image_id, {"title": "x"})
    answer = history(image_id)
    assert [change["type"] for change in answer.body["changes"]] == ["image.changed", "image.uploaded"]
    assert (
        answer.body["changes"] == [change for change in changes() if change["subject_id"] == image_id][::-1]
    )
    assert answer.body["next_cursor"] is None
    assert answer.headers["cache-control"] == ["no-store"]
    assert history(image_id.upper()).body == answer.body


def test_a_deleted_image_has_a_history(stores: Stores) -> None:
    image_id = upload(PICTURE).image["id"]
    stores.execute("DELETE FROM image_metadata WHERE id = %s", (image_id,))
    types = [change["type"] for change in history(image_id).body["changes"]]
    assert types == ["image.deleted", "image.uploaded"]


def test_pages(stores: Stores) -> None:
    image_id = new_id()
    add(stores, 12, image_id=image_id)
    add(stores, 3)
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for expected in (5, 5, 2):
        page = history(image_id, limit=5, **cursor).body
        assert len(page["changes"]) == expected
        seen += [change["sequence"] for change in page["changes"]]
        cursor = {"cursor": page["next_cursor"]}
    assert page["next_cursor"] is None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 12


def test_an_image_without_history(stores: Stores) -> None:
    """Uploaded before there was a feed, or the changes are no longer kept."""
    (image_id,) = stores.insert_ready()
    stores.execute("DELETE FROM changes_unnumbered")
    assert history(image_id).body == {"changes": [], "next_cursor": None}
    stores.execute(
        """WITH gone AS (DELETE FROM image_metadata WHERE id = %(id)s RETURNING *)
           INSERT INTO trashed_images SELECT *, now(), now() FROM gone""",
        {"id": image_id},
    )
    stores.execute("DELETE FROM changes_unnumbered")
    assert history(image_id).body == {"changes": [], "next_cursor": None}


@pytest.mark.parametrize("image_id", ["0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "x", "-1", "0" * 36])
def test_unknown_ids(stores: Stores, image_id: str) -> None:
    assert history(image_id).error == (404, "image_not_found")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        *(({"limit": value}, "limit_invalid") for value in ("0", "201", "-1", "x")),
        *(({"cursor": value}, "cursor_invalid") for value in ("", "x", "7")),
        ({"since": "latest"}, "parameter_unknown"),
        ({"wait": "1"}, "parameter_unknown"),
    ],
    ids=str,
)
def test_bad_parameters(stores: Stores, query: dict[str, str], code: str) -> None:
    (image_id,) = stores.insert_ready()
    assert history(image_id, **query).error == (400, code)
