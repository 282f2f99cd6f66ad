"""The newest page and the page at row 50,000 of 100,000. Each is one index scan."""

import datetime
import io
import json
import random
from uuid import UUID

import psycopg2

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.servers import connect, run_servers
from tests.support.events import Handler

NAME = "list"
ROWS, DEEP_ROW, LIMIT = 100_000, 50_000, 50
ROUNDS, WARM_UP = 200, 20
GOAL = 1.2
COLUMNS = (
    "id, title, description, category, tags, filename, s3_key, mime_type, size_bytes, width, height,"
    " sha256, placeholder, exif, created_at, updated_at"
)


def run() -> list[Figure]:
    from imageapi.search.cursors import Position, encode_cursor
    from imageapi.search.list_parameters import ListQuery

    with run_servers() as environ:
        connection = connect(environ)
        print(f"list: {ROWS:,} rows, {ROUNDS} rounds", flush=True)
        with connection.cursor() as cursor, load_handler("list", environ) as handler:
            fill_table(cursor)
            filters = ListQuery().filters
            deep = encode_cursor(Position(0, None, find_id_at(cursor, DEEP_ROW)), filters)
            calls = {
                "newest": timed(lambda: read_page(handler, {"limit": str(LIMIT)})),
                "deep": timed(lambda: read_page(handler, {"limit": str(LIMIT), "cursor": deep})),
                "floor": timed(lambda: cursor.execute("SELECT 1")),
            }
            take_turns(calls, WARM_UP)
            medians = take_turns(calls, ROUNDS)
        connection.close()
    slow, fast = sorted(("newest", "deep"), key=lambda name: medians[name], reverse=True)
    titles = {"newest": "newest page", "deep": f"page at row {DEEP_ROW:,}"}
    return [
        Figure(f"list, {titles['newest']} of {LIMIT}", medians["newest"], medians["floor"], "SELECT 1"),
        Figure(f"list, {titles[slow]}", medians[slow], medians[fast], titles[fast], goal=GOAL),
    ]


def read_page(handler: Handler, query: dict[str, str]) -> None:
    answer = handler(make_event("GET", "/api/images", query=query), make_context())
    assert answer["statusCode"] == 200, answer
    assert len(json.loads(answer["body"])["images"]) == LIMIT


def fill_table(cursor: "psycopg2.extensions.cursor") -> None:
    """Insert ROWS ready images, one second apart, the last one now."""
    lines = io.StringIO()
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    for number in range(ROWS):
        second = now - ROWS + number
        image_id = make_uuid7(second)
        moment = datetime.datetime.fromtimestamp(second, datetime.UTC).isoformat()
        fields = (
            *(image_id, f"Picture {number}", "One of many.", f"category-{number % 20}", "{one,two}"),
            *(f"picture-{number}.jpg", f"originals/{image_id}.jpg", "image/jpeg", 300_000, 1600, 1200),
            rf"\\x{number:064x}",
            *("data:image/webp;base64," + "A" * 120, '{"camera": "Benchmark"}', moment, moment),
        )
        lines.write("\t".join(map(str, fields)) + "\n")
    lines.seek(0)
    # Without the trigger: the feed would take longer than the rows.
    cursor.execute("ALTER TABLE image_metadata DISABLE TRIGGER image_metadata_noted")
    cursor.copy_expert(f"COPY image_metadata ({COLUMNS}) FROM STDIN", lines)
    cursor.execute("ALTER TABLE image_metadata ENABLE TRIGGER image_metadata_noted")
    cursor.execute("VACUUM ANALYZE image_metadata")


def make_uuid7(second: int) -> UUID:
    """A UUIDv7 of that time (RFC 9562, 5.7)."""
    return UUID(
        int=second * 1000 << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62)
    )


def find_id_at(cursor: "psycopg2.extensions.cursor", row: int) -> UUID:
    cursor.execute("SELECT id FROM image_metadata ORDER BY id DESC OFFSET %s LIMIT 1", (row - 1,))
    found = cursor.fetchone()
    assert found
    return UUID(found[0])
