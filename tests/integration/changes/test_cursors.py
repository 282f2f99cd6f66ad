"""Cursors and parameters of the feed that are refused, each with its own code."""

import pytest
from imageapi.changes.cursor import FEED
from imageapi.model.cursor_codec import encode_values

from tests.integration.changes.reading import add, changes, cursor, read, rewind
from tests.integration.client import get
from tests.integration.lifecycle import forget, patch_image
from tests.integration.stores import Stores


@pytest.mark.parametrize(
    ("query", "code"),
    [
        *(({"limit": value}, "limit_invalid") for value in ("0", "1001", "-1", "x", "", "1.5", "١")),
        *(({"wait": value}, "parameter_invalid") for value in ("21", "-1", "x", "", "0.5", "9" * 5_000)),
        ({"cursor": "x"}, "parameter_unknown"),
        *(
            ({"since": value}, "cursor_invalid")
            for value in ("", "x", "-1", "7", "Latest", "\0", "é", "A" * 9_000)
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_parameters(stores: Stores, query: dict[str, str], code: str) -> None:
    assert get("/api/changes", query).error == (400, code)


@pytest.mark.parametrize(
    "payload", [[-1, 0], [0, -1], [1], [1, 2, 3], ["1", 2], [True, 2], [2**63, 0], [1.0, 2]]
)
def test_forged_cursors(stores: Stores, payload: list[object]) -> None:
    assert read(encode_values(payload, FEED)).error == (400, "cursor_invalid")


def test_cursors_of_other_lists(stores: Stores) -> None:
    stores.insert_ready(2)
    (first, second) = [row["subject_id"] for row in changes()]
    patch_image(first, {"title": "x"})
    of_list = get("/api/images", {"limit": "1"}).body["next_cursor"]
    of_history = get(f"/api/images/{first}/history", {"limit": "1"}).body["next_cursor"]
    mismatch = (400, "cursor_mismatch")
    assert read(of_list).error == mismatch
    assert read(of_history).error == mismatch
    assert get("/api/images", {"cursor": cursor()}).error == mismatch
    assert get(f"/api/images/{first}/history", {"cursor": cursor()}).error == mismatch
    assert get(f"/api/images/{second}/history", {"cursor": of_history}).error == mismatch


def test_after_a_restore_the_cursor_is_of_another_future(stores: Stores) -> None:
    add(stores, 5)
    shared = cursor("latest")
    add(stores, 2)
    ahead = cursor("latest")
    rewind(stores, 2)
    restored = (410, "changes_restored")
    assert read(ahead).error == restored  # its sequence is not there yet
    assert changes(shared) == []
    add(stores, 4)
    assert read(ahead).error == restored  # another change has its sequence
    assert len(changes(shared)) == 4


def test_a_restored_database_may_have_a_hole_where_the_cursor_is(stores: Stores) -> None:
    add(stores, 2)
    ahead = cursor("latest")
    rewind(stores, 1)
    add(stores, 1, sequence=99)
    assert read(ahead).error == (410, "changes_restored")


def test_a_cursor_in_front_of_an_empty_feed(stores: Stores) -> None:
    add(stores, 1)
    since = cursor("latest")
    stores.execute("DELETE FROM changes")
    assert read(since).error == (410, "changes_restored")


def test_a_cursor_older_than_what_is_kept(stores: Stores) -> None:
    add(stores, 3, days_ago=401)
    stores.changes()
    oldest = cursor(None, limit=1)
    add(stores, 3)
    assert len(changes(oldest)) == 5
    forget()
    assert read(oldest).error == (410, "changes_expired")
    assert len(changes()) == 3
