"""Requests for changes."""

from typing import Any

from imageapi.actor import ROOT
from imageapi.api_keys.check import Key
from imageapi.api_keys.manage import create_key
from imageapi.model.scopes import SCOPES

from tests.integration.client import get
from tests.integration.stores import Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY, as_manager


def read(since: str | None = None, **query: object) -> Answer:
    """GET /api/changes, with the root key or ``key``."""
    key = str(query.pop("key", API_KEY))
    values = {name: str(value) for name, value in query.items()}
    if since is not None:
        values["cursor"] = since
    return get("/api/changes", values, key=key)


def changes(since: str | None = None, **query: object) -> list[dict[str, Any]]:
    answer = read(since, **query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["changes"]
    return found


def cursor(since: str | None = "latest", **query: object) -> str:
    answer = read(since, **query)
    assert answer.status == 200, answer.body
    return str(answer.body["next_cursor"])


def history(image_id: str, **query: object) -> Answer:
    return get(f"/api/images/{image_id}/changes", {name: str(value) for name, value in query.items()})


def new_key(*scopes: str) -> dict[str, Any]:
    with as_manager():
        made, key = create_key({"name": "a key", "scopes": list(scopes)}, Key(ROOT, SCOPES))
    return made | {"key": key}


def add(
    stores: Stores, count: int, days_ago: int = 0, image_id: str | None = None, sequence: int = 0
) -> None:
    """Add changes of images that do not exist.

    Args:
        sequence: the sequence of the last one. By default, they follow the others.
    """
    stores.execute(
        """INSERT INTO changes_unnumbered (type, subject_id, time)
           SELECT 'image.deleted', coalesce(%s, gen_random_uuid()),
                  clock_timestamp() - make_interval(days => %s)
           FROM generate_series(1, %s)""",
        (image_id, days_ago, count),
    )
    if sequence:
        last = stores.changes()[-1]["sequence"]
        stores.execute("UPDATE changes SET sequence = %s WHERE sequence = %s", (sequence, last))


def rewind(stores: Stores, count: int) -> None:
    """Remove the last ``count`` changes, as a restore does. Their sequences are free again."""
    stores.changes()  # numbers all changes
    stores.execute(
        "DELETE FROM changes WHERE sequence > (SELECT max(sequence) FROM changes) - %s",
        (count,),
    )
