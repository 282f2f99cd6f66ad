"""GET /api/images/{id}/changes."""

from tests.integration.changes.reading import add, changes, history, new_key
from tests.integration.client import upload
from tests.integration.images.examples import PICTURE
from tests.integration.lifecycle import patch_image
from tests.integration.stores import Stores, new_id


def test_the_changes_of_one_image_newest_first(stores: Stores) -> None:
    image_id = upload(PICTURE).image["id"]
    upload(PICTURE)
    patch_image(image_id, {"title": "x"})
    stores.execute("DELETE FROM image_metadata WHERE id = %s", (image_id,))
    answer = history(image_id)
    own = [change for change in changes() if change["subject_id"] == image_id]
    assert [change["type"] for change in own] == ["image.uploaded", "image.changed", "image.deleted"]
    assert answer.body == {"changes": own[::-1], "next_cursor": None}
    assert answer.headers["cache-control"] == ["no-store"]
    assert history(image_id.upper()).body == answer.body


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
    """The image is older than the feed, or its changes have expired."""
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


def test_unknown_ids(stores: Stores) -> None:
    """The id of an API key is unknown as well: only keys with keys:manage see its changes."""
    key_id = new_key("images:read")["id"]
    for image_id in (key_id, "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "x", "-1", "0" * 36):
        assert history(image_id).error == (404, "image_not_found"), image_id


def test_bad_cursors(stores: Stores) -> None:
    (image_id,) = stores.insert_ready()
    for cursor in ("x", "7"):
        assert history(image_id, cursor=cursor).error == (400, "cursor_invalid")
