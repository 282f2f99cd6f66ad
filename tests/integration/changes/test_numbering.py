"""Changes wait in an outbox, and readers of the feed number them."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from imageapi.database import db, locks

from tests.integration.changes.reading import add, changes, cursor, history, read
from tests.integration.client import upload
from tests.integration.images.examples import PICTURE
from tests.integration.lifecycle import patch_image, sweep
from tests.integration.stores import Stores
from tests.support.waiting import wait_until

UNNUMBERED = "SELECT count(*) AS changes FROM changes_unnumbered"


@contextmanager
def numbering(
    stores: Stores, sql: str = f"SELECT pg_advisory_xact_lock({locks.NUMBERING}, 0)"
) -> Iterator[Any]:
    """Another connection numbers changes, and commits at the end."""
    with closing(stores.postgres.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        yield connection
        connection.commit()


def test_no_commit_waits_for_who_numbers(stores: Stores) -> None:
    (image_id,) = stores.insert_ready()
    since = cursor()
    with numbering(stores):  # a commit that waits would never end: it would be a 503
        assert patch_image(image_id, {"title": "x"}).status == 200
    assert len(changes(since)) == 1


def test_a_reader_does_not_go_on_without_what_waits(stores: Stores) -> None:
    since = cursor()
    add(stores, 1)
    pid = db.query("SELECT pg_backend_pid() AS pid")
    with numbering(stores):
        assert read(since).error == (503, "database_unavailable")
    assert db.query("SELECT pg_backend_pid() AS pid") == pid  # the connection stays open
    assert len(changes(since)) == 1


def test_a_reader_sees_what_another_is_just_numbering(stores: Stores) -> None:
    since = cursor()
    add(stores, 3)
    found: list[dict[str, Any]] = []
    with numbering(stores, "SELECT number_changes(2)"):
        add(stores, 1)
        reader = threading.Thread(target=lambda: found.extend(changes(since)))
        reader.start()
        wait_until(lambda: stores.execute("SELECT 1 FROM pg_locks WHERE NOT granted"))
        assert found == []
    reader.join()
    assert [change["sequence"] for change in found] == [1, 2, 3, 4]


def test_one_who_dies_while_numbering_leaves_all_to_the_next(stores: Stores) -> None:
    since = cursor()
    add(stores, 3)
    with closing(stores.postgres.connect()) as connection:
        connection.cursor().execute("SELECT number_changes(2)")
    assert [change["sequence"] for change in changes(since)] == [1, 2, 3]


def test_a_page_numbers_only_what_it_lacks(stores: Stores) -> None:
    add(stores, 10)
    assert len(changes(limit=3)) == 3
    assert stores.execute(UNNUMBERED) == [{"changes": 7}]
    assert len(changes(limit=2)) == 2
    assert stores.execute(UNNUMBERED) == [{"changes": 7}]


def test_a_history_and_a_sweep_number_all(stores: Stores) -> None:
    add(stores, 1_500)
    image = upload(PICTURE).image
    assert [change["type"] for change in history(image["id"]).body["changes"]] == ["image.uploaded"]
    add(stores, 1_500)
    sweep()
    assert stores.execute(UNNUMBERED) == [{"changes": 0}]
