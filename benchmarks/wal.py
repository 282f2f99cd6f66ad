"""Bytes of WAL that PostgreSQL writes for a request, with 20,000 images and all indexes.

Full-page images do not count, because their number depends on the time of the last checkpoint.
"""

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import psycopg2.extensions

from benchmarks.figures import Figure, take_turns
from benchmarks.handlers import load_handler, make_context, make_event, make_upload_event
from benchmarks.pictures import encode_jpeg, make_photo
from benchmarks.servers import run_with_cursor
from tests.support import corpus
from tests.support.events import Event, Handler

NAME = "wal"
ROWS, ROUNDS = 20_000, 100
STEP = 150
"""The distance between changed images, so that each is on a separate page."""
GOAL_BYTES = 2_048
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "revoke links": ("POST", "/links/revoke", {}),
    "edit a title": ("PATCH", "", {"title": "Another title, of 36 characters long"}),
    "edit a description": ("PATCH", "", {"description": "A photo of the garden, seen from above."}),
}


def run() -> list[Figure]:
    picture = encode_jpeg(make_photo(640, 480), 50_000)
    upload = make_upload_event(picture, "photo.jpg", "image/jpeg")
    with run_with_cursor() as (environ, cursor):
        corpus.fill(cursor, ROWS)
        cursor.execute("CREATE TABLE bare WITH (fillfactor = 50) AS SELECT * FROM image_metadata LIMIT 1")
        cursor.execute("ALTER SYSTEM SET full_page_writes = off")
        cursor.execute("SELECT pg_reload_conf()")
        print(f"wal: {ROWS:,} rows, {ROUNDS} rounds", flush=True)
        bare = count_bytes(cursor, lambda: cursor.execute("UPDATE bare SET link_version = link_version + 1"))
        medians = take_turns({"bare": bare}, ROUNDS)
        with load_handler("image", environ) as handler:
            calls = {}
            for number, name in enumerate(CHANGES):
                cursor.execute("SELECT id FROM image_metadata ORDER BY id OFFSET %s", (number * STEP // 3,))
                ids = [row[0] for row in cursor.fetchall()][::STEP]
                calls[name] = count_bytes(cursor, send_each(handler, make_events(name, ids)))
            medians |= take_turns(calls, ROUNDS)
        with load_handler("upload", environ) as handler:
            uploads = send_each(handler, itertools.repeat(upload))
            medians |= take_turns({"upload": count_bytes(cursor, uploads)}, ROUNDS)
    floor, revoked = medians.pop("bare"), medians["revoke links"]
    goal = f"{GOAL_BYTES:,} bytes"
    return [
        Figure("wal, revoke links", revoked, GOAL_BYTES, goal, unit="bytes", goal=1),
        *(
            Figure(f"wal, {name}", value, floor, "bare UPDATE", unit="bytes")
            for name, value in medians.items()
        ),
    ]


def make_events(name: str, ids: list[str]) -> list[Event]:
    method, path, body = CHANGES[name]
    data = json.dumps(body).encode() if body else b""
    return [make_event(method, f"/api/images/{image_id}{path}", body=data) for image_id in ids]


def send_each(handler: Handler, events: Iterable[Event]) -> Callable[[], None]:
    following = iter(events)

    def send() -> None:
        answer = handler(next(following), make_context())
        assert answer["statusCode"] in (200, 201), answer

    return send


def count_bytes(cursor: psycopg2.extensions.cursor, work: Callable[[], object]) -> Callable[[], float]:
    """Wrap ``work`` in a call that returns the bytes of WAL written meanwhile."""

    def position() -> int:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'")
        found = cursor.fetchone()
        assert found
        return int(found[0])

    def call() -> float:
        start = position()
        work()
        return position() - start

    return call
