"""init_db.sql on a real server."""

from typing import Any

import psycopg2
import pytest
from imageapi.database import db
from imageapi.images.revoke_links import revoke_links

from tests.integration.stores import Stores


def test_impossible_rows_are_refused(stores: Stores) -> None:
    impossible: list[dict[str, Any]] = [{"size_bytes": 0}, {"width": 0}, {"height": -1}, {"frames": 0}]
    impossible += [{"sha256": b"short"}, {"tags": ["x"] * 33}]
    impossible += [{name: None} for name in ("sha256", "width", "filename")]
    for values in impossible:
        with pytest.raises(psycopg2.IntegrityError):
            stores.insert_ready(**values)


def test_a_revocation_of_links_writes_no_index(stores: Stores) -> None:
    """PostgreSQL counts such updates as HOT. Other updates write each token of the image to the GIN index."""
    rows = stores.insert_ready(200, description="一" * 200)

    before = count_updates(stores)
    for image_id in rows[::10]:
        revoke_links(image_id)
    db.query("SELECT pg_stat_force_next_flush()")

    updates, hot_updates = (after - count for after, count in zip(count_updates(stores), before, strict=True))
    assert hot_updates == updates == len(rows[::10])


def count_updates(stores: Stores) -> tuple[int, int]:
    """The number of updates of images since the server started, and of those that were HOT."""
    (row,) = stores.execute(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'image_metadata'"
    )
    return row["n_tup_upd"], row["n_tup_hot_upd"]
