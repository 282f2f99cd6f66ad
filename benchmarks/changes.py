"""A page of the feed, and how many commits a second can write it.

`python -m benchmarks.changes --rows 10000000` measures the page at another size, without the commits.
"""

import argparse
import contextlib
import threading
import time

import psycopg2
import psycopg2.extensions

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.servers import connect, run_servers
from tests.support.events import Handler
from tests.support.postgres import without_time_limit

NAME = "changes"
ROWS, LIMIT = 100_000, 200
ROUNDS, WARM_UP = 100, 10
BITE = 500_000
WRITERS, SECONDS = (1, 4, 16), 2.0
LOCK = "PERFORM pg_advisory_xact_lock(7594021836651208290);"

TEMPLATES = 1_000
# Three uploads to one change of an image. A thousand are made and then repeated, which is ten times as fast.
MAKE = """
    CREATE TEMP TABLE made AS
    SELECT CASE WHEN mod(n, 4) > 0 THEN 'image.uploaded' ELSE 'image.changed' END AS type,
           CASE WHEN mod(n, 4) = 0
                THEN jsonb_build_object('title', 'A title', 'updated_at', moment) END AS before,
           CASE WHEN mod(n, 4) > 0 THEN jsonb_build_object(
               'id', gen_random_uuid(), 'title', 'Picture ' || n, 'description', 'One of many, by the sea.',
               'category', 'Sea', 'tags', '["one", "two"]'::jsonb, 'filename', 'IMG_' || n || '.jpg',
               's3_key', 'originals/' || gen_random_uuid() || '.jpg', 'mime_type', 'image/jpeg',
               'size_bytes', 300000 + n, 'width', 4032, 'height', 3024, 'frames', 1,
               'sha256', encode(sha256(n::text::bytea), 'hex'), 'exif', '{"camera": "Benchmark"}'::jsonb,
               'created_at', moment, 'updated_at', moment)
           ELSE jsonb_build_object('title', 'Title ' || n, 'updated_at', moment) END AS after,
           gen_random_uuid()::text AS key_id
    FROM generate_series(1, %s) AS n, (SELECT '2026-11-28T08:40:34.123456+00:00' AS moment) AS fixed"""
FILL = """
    INSERT INTO changes (type, image_id, version, key_id, request_id, before, after)
    SELECT type, uuidv7(), 1, key_id, gen_random_uuid()::text, before, after
    FROM generate_series(1, %s), made"""


def run() -> list[Figure]:
    with (
        run_servers() as environ,
        contextlib.closing(connect(environ)) as connection,
        connection.cursor() as cursor,
    ):
        print(f"changes: {ROWS:,} rows, {ROUNDS} rounds", flush=True)
        page = measure_page(cursor, environ, ROWS)
        cursor.execute("ALTER TABLE changes SET LOGGED")
        rates = measure_commits(environ, cursor)
    figures = [page]
    for writers in WRITERS:
        name = f"changes, commits a second by {writers} writers"
        figures.append(
            Figure(name, rates["feed", writers], rates["none", writers], "no feed", unit="commits/s")
        )
        figures.append(
            Figure(name, rates["feed", writers], rates["unlocked", writers], "no lock", unit="commits/s")
        )
    return figures


def measure_page(cursor: psycopg2.extensions.cursor, environ: dict[str, str], rows: int) -> Figure:
    """p50 of a page in the middle of the feed, through the handler."""
    fill(cursor, rows)
    with load_handler("changes", environ) as handler:
        middle = find_cursor(cursor, rows // 2)
        calls = {
            "page": timed(lambda: read_page(handler, middle)),
            "floor": timed(lambda: cursor.execute("SELECT 1")),
        }
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
    return Figure(f"changes, page of {LIMIT} of {rows:,}", medians["page"], medians["floor"], "SELECT 1")


def fill(cursor: psycopg2.extensions.cursor, rows: int) -> None:
    with without_time_limit():
        cursor.execute("ALTER TABLE changes SET UNLOGGED")  # gigabytes of WAL less
        cursor.execute(MAKE, (TEMPLATES,))
        for first in range(0, rows, BITE):
            cursor.execute(FILL, (min(BITE, rows - first) // TEMPLATES,))
        cursor.execute("VACUUM ANALYZE changes")


def find_cursor(cursor: psycopg2.extensions.cursor, row: int) -> str:
    """The cursor of the change with that sequence."""
    from imageapi.changes.cursor import FEED, encode_position, position_of

    cursor.execute("SELECT sequence, time FROM changes WHERE sequence = %s", (row,))
    found = cursor.fetchone()
    assert found
    return encode_position(position_of(*found), FEED)


def read_page(handler: Handler, since: str) -> None:
    query = {"limit": str(LIMIT), "since": since}
    answer = handler(make_event("GET", "/api/changes", query=query), make_context())
    assert answer["statusCode"] == 200, answer
    # Not parsed: that is the client's work.
    assert answer["body"].count('{"sequence":') == LIMIT


def measure_commits(
    environ: dict[str, str], cursor: psycopg2.extensions.cursor
) -> dict[tuple[str, int], float]:
    """Commits a second, each of which changes an image of its writer: by ``feed``, ``unlocked`` (without the
    feed's lock) or ``none`` (without a feed), and number of writers.
    """
    cursor.execute(
        """INSERT INTO image_metadata (id, filename, s3_key, mime_type, size_bytes, width, height, sha256)
           SELECT gen_random_uuid(), 'a.jpg', 'originals/a.jpg', 'image/jpeg', 1, 1, 1, sha256(n::text::bytea)
           FROM generate_series(1, %s) AS n RETURNING id""",
        (max(WRITERS),),
    )
    ids = [image_id for (image_id,) in cursor.fetchall()]
    cursor.execute("SELECT pg_get_functiondef('note_change'::regproc)")
    found = cursor.fetchone()
    assert found
    trigger = "ALTER TABLE image_metadata {} TRIGGER image_metadata_change_noted"
    prepare = {
        "feed": found[0],
        "unlocked": found[0].replace(LOCK, ""),
        "none": trigger.format("DISABLE"),
    }
    rates = {}
    for writers in WRITERS:
        for name, sql in prepare.items():
            cursor.execute(f"{trigger.format('ENABLE')}; {sql}")
            rates[name, writers] = count_commits(environ, ids[:writers])
            print(
                f"changes: {writers} writers, {name}: {rates[name, writers]:,.0f} commits a second",
                flush=True,
            )
    return rates


def count_commits(environ: dict[str, str], ids: list[str]) -> float:
    """Commits a second, over SECONDS."""
    counts = [0] * len(ids)
    start = threading.Barrier(len(ids) + 1)
    end = [0.0]

    def write(place: int) -> None:
        with contextlib.closing(connect(environ)) as connection, connection.cursor() as cursor:
            start.wait()
            while time.perf_counter() < end[0]:
                cursor.execute(
                    "UPDATE image_metadata SET title = %s, version = version + 1 WHERE id = %s",
                    (f"title {counts[place]}", ids[place]),
                )
                counts[place] += 1

    threads = [threading.Thread(target=write, args=(place,)) for place in range(len(ids))]
    for thread in threads:
        thread.start()
    end[0] = time.perf_counter() + 60
    start.wait()
    end[0] = time.perf_counter() + SECONDS
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    with (
        run_servers() as environ,
        contextlib.closing(connect(environ)) as connection,
        connection.cursor() as cursor,
    ):
        start = time.perf_counter()
        page = measure_page(cursor, environ, rows)
        cursor.execute("SELECT pg_relation_size('changes'), pg_total_relation_size('changes')")
        table, total = cursor.fetchone() or (0, 0)
        seconds = time.perf_counter() - start
    print(f"{page.name}: {page.value:.2f} ms, SELECT 1: {page.floor:.2f} ms")
    print(
        f"{table / rows:.0f} bytes a row, {total / rows:.0f} with indexes; filled and read in {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
