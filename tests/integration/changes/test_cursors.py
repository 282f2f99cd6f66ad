"""Cursors of the feed that are refused, each with its own code."""

from imageapi.changes.cursor import FEED
from imageapi.model.cursor_codec import encode_values

from tests.integration.changes.reading import add, changes, cursor, history, read, rewind
from tests.integration.client import get
from tests.integration.lifecycle import forget, patch_image
from tests.integration.stores import Stores


def test_forged_cursors(stores: Stores) -> None:
    for payload in ([-1, 0], [0, -1], [1], [1, 2, 3], ["1", 2], [True, 2], [2**63, 0], [1.0, 2]):
        assert read(encode_values(payload, FEED)).error == (400, "cursor_invalid"), payload
    for text in ("x", "-1", "7", "Latest", "é"):
        assert read(text).error == (400, "cursor_invalid"), text


def test_cursors_of_other_lists(stores: Stores) -> None:
    stores.insert_ready(2)
    (first, second) = [row["subject_id"] for row in changes()]
    patch_image(first, {"title": "x"})
    of_list = get("/api/images", {"limit": "1"}).body["next_cursor"]
    of_history = history(first, limit=1).body["next_cursor"]
    for answer in (
        *(read(of_list), read(of_history)),
        get("/api/images", {"cursor": cursor()}),
        *(history(first, cursor=cursor()), history(second, cursor=of_history)),
    ):
        assert answer.error == (400, "cursor_mismatch")


def test_after_a_restore_the_cursor_is_of_another_future(stores: Stores) -> None:
    add(stores, 5)
    shared = cursor()
    add(stores, 2)
    ahead = cursor()
    rewind(stores, 2)
    restored = (410, "changes_restored")
    assert read(ahead).error == restored  # its sequence does not exist yet
    assert changes(shared) == []
    add(stores, 4)
    assert read(ahead).error == restored  # another change has its sequence
    assert len(changes(shared)) == 4

    ahead = cursor()
    rewind(stores, 1)
    add(stores, 1, sequence=99)
    assert read(ahead).error == restored  # its sequence is missing
    stores.execute("DELETE FROM changes")
    assert read(shared).error == restored


def test_a_cursor_older_than_what_is_kept(stores: Stores) -> None:
    add(stores, 3, days_ago=401)
    stores.changes()
    oldest = cursor(None, limit=1)
    add(stores, 3)
    assert len(changes(oldest)) == 5
    forget()
    assert read(oldest).error == (410, "changes_expired")
    assert len(changes()) == 3
