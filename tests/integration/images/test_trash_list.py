"""GET /api/images?trashed=true: order, pages, cursors, and what it refuses."""

import pytest
from imageapi.model.cursor_codec import encode_values

from tests.integration.client import get, upload
from tests.integration.images.examples import PICTURE
from tests.integration.images.test_trash import ID, list_trash
from tests.integration.lifecycle import trash_image
from tests.integration.stores import Stores


def test_pages_of_the_trash_are_complete_and_newest_trashed_first(stores: Stores) -> None:
    ids = [upload(PICTURE).image["id"] for _ in range(5)]
    order = [ids[place] for place in (3, 0, 4, 1, 2)]
    for image_id in order:
        trash_image(image_id)
    stores.execute(  # two at the same moment
        """UPDATE trashed_images SET trashed_at = (SELECT trashed_at FROM trashed_images WHERE id = %s)
           WHERE id = %s""",
        (ids[0], ids[3]),
    )

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer = list_trash(limit="2", **({"cursor": cursor} if cursor else {}))
        found += [image["id"] for image in answer.body["images"]]
        cursor, pages = answer.body["next_cursor"], pages + 1
        assert ("link" in answer.headers) == bool(cursor)

    assert found == [ids[2], ids[1], ids[4], ids[3], ids[0]]
    assert pages == 3


FORGED: list[list[object]]
FORGED = [[10**30, ID], [-(10**30), ID], ["x", ID], [None, ID], [True, ID], [0, "x"], [0, 1], [0]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"trashed": "yes"}, "parameter_invalid"),
        ({"q": "x"}, "parameter_unknown"),
        ({"limit": "0"}, "limit_invalid"),
        ({"cursor": "x"}, "cursor_invalid"),
        *(
            ({"cursor": encode_values(list(values), {"trashed": True})}, "cursor_invalid")
            for values in FORGED
        ),
    ],
    ids=str,
)
def test_a_list_of_the_trash_refuses(stores: Stores, query: dict[str, str], code: str) -> None:
    assert get("/api/images", {"trashed": "true"} | query).error == (400, code)


def test_cursors_of_the_lists_are_not_mixed_up(stores: Stores) -> None:
    ids = [upload(PICTURE).image["id"] for _ in range(4)]
    for image_id in ids[:2]:
        trash_image(image_id)
    live = get("/api/images", {"limit": "1"}).body["next_cursor"]
    trashed = list_trash(limit="1").body["next_cursor"]

    assert list_trash(cursor=live).code == "cursor_mismatch"
    assert get("/api/images", {"cursor": trashed}).code == "cursor_mismatch"
    assert get("/api/images", {"trashed": "false", "limit": "1", "cursor": live}).status == 200
