"""Pages of the feed, and the number of commits a second that can write it.

`python -m benchmarks.changes --rows 10000000` measures the pages at another size, without the commits.
"""

import argparse
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import psycopg2
import psycopg2.extensions

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.servers import connect, run_with_cursor
from tests.support.events import Handler
from tests.support.postgres import without_time_limit

NAME = "changes"
ROWS, LIMIT = 100_000, 200
ROUNDS, WARM_UP = 100, 10
BITE = 500_000
WAITING = 1_000
"""Changes that wait to be numbered while a page is read."""
WRITERS, TURNS, SECONDS = (1, 4, 16), 5, 1.0
SLOW_WRITERS, SLOW_COMMIT = (16, 64), "SET commit_delay = 4000; SET commit_siblings = 0"
"""Each flush of the log takes at least 4 ms, as on Aurora."""
READ_SECONDS = 0.2
"""The reader numbers more often than a client that waits for changes."""
GOALS = {
    ("unlocked", 4, False): 0.85,
    ("unlocked", 16, False): 0.85,
    ("none", 16, True): 0.85,
    ("none", 64, True): 0.45,
}
"""The minimum share of a floor's commits, by its name, number of writers, and whether commits are slow."""

TEMPLATES = 1_000
# Three uploads for one change of an image. Repeating a thousand rows is ten times as fast as generating all.
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
    INSERT INTO changes
    SELECT newest + row_number() OVER (), clock_timestamp(), type, uuidv7(), 1, key_id,
           gen_random_uuid()::text, before, after
    FROM (SELECT max(sequence) AS newest FROM changes) AS found, generate_series(1, %s), made"""
ADD = """
    INSERT INTO changes_unnumbered (type, subject_id, version, key_id, request_id, before, after)
    SELECT type, uuidv7(), 1, key_id, gen_random_uuid()::text, before, after FROM made LIMIT %s"""
WITHOUT_LOCK = """
    CREATE TABLE changes_unlocked (LIKE changes INCLUDING ALL);
    CREATE SEQUENCE changes_unlocked_sequence OWNED BY changes_unlocked.sequence;
    ALTER TABLE changes_unlocked ALTER sequence SET DEFAULT nextval('changes_unlocked_sequence'),
        ALTER time SET DEFAULT clock_timestamp()"""
"""The same rows, as if their order did not matter."""


def run() -> list[Figure]:
    with run_with_cursor() as (environ, cursor):
        print(f"changes: {ROWS:,} rows, {ROUNDS} rounds", flush=True)
        figures = measure_pages(cursor, environ, ROWS)
        cursor.execute("TRUNCATE changes_unnumbered")
        rates = measure_commits(environ, cursor)
    for (name, writers, is_slow), rate in rates.items():
        if name != "feed":
            title = f"changes, a commit by {writers} writers{', 4 ms to disk' if is_slow else ''}"
            floor_name = {"none": "no feed", "unlocked": "no lock"}[name]
            goal = GOALS.get((name, writers, is_slow))
            figure = Figure(title, 1000 / rates["feed", writers, is_slow], 1000 / rate, floor_name)
            figures.append(replace(figure, goal=round(1 / goal, 2) if goal else None))
    return figures


def measure_pages(cursor: psycopg2.extensions.cursor, environ: dict[str, str], rows: int) -> list[Figure]:
    """p50 of pages in the middle of the feed, and at its end, where the handler numbers WAITING changes."""
    fill(cursor, rows)
    with load_handler("changes", environ) as handler:
        middle = find_cursor(cursor, rows // 2)

        def read_end() -> float:
            cursor.execute("SELECT count(*) FROM changes_unnumbered")
            (waiting,) = cursor.fetchone() or (0,)
            cursor.execute(ADD, (WAITING - waiting,))
            end = find_cursor(cursor)
            return timed(lambda: read_page(handler, end))()

        read_end()
        calls = {
            "middle": timed(lambda: read_page(handler, middle)),
            "end": read_end,
            "floor": timed(lambda: cursor.execute("SELECT 1")),
        }
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
    names = {"middle": "page", "end": "page that is numbered"}
    return [
        Figure(f"changes, {name} of {LIMIT} of {rows:,}", medians[key], medians["floor"], "SELECT 1")
        for key, name in names.items()
    ]


def fill(cursor: psycopg2.extensions.cursor, rows: int) -> None:
    with without_time_limit():
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(MAKE, (TEMPLATES,))
        for first in range(0, rows, BITE):
            cursor.execute(ADD, (1,))
            cursor.execute("SELECT number_changes(%s)", (BITE,))  # creates the next partition
            cursor.execute(FILL, (min(BITE, rows - first) // TEMPLATES,))
        cursor.execute("VACUUM ANALYZE changes")


def find_cursor(cursor: psycopg2.extensions.cursor, row: int = 2**62) -> str:
    """The cursor of the change with that sequence, or of the last one before it."""
    from imageapi.changes.cursor import FEED, encode_position, position_of

    cursor.execute(
        "SELECT sequence, time FROM changes WHERE sequence <= %s ORDER BY sequence DESC LIMIT 1", (row,)
    )
    found = cursor.fetchone()
    assert found
    return encode_position(position_of(*found), FEED)


def read_page(handler: Handler, cursor: str) -> None:
    query = {"limit": str(LIMIT), "cursor": cursor}
    answer = handler(make_event("GET", "/api/changes", query=query), make_context())
    assert answer["statusCode"] == 200, answer
    # Parsing is the client's work.
    assert answer["body"].count('{"sequence":') == LIMIT


def measure_commits(
    environ: dict[str, str], cursor: psycopg2.extensions.cursor
) -> dict[tuple[str, int, bool], float]:
    """Commits a second, by kind, number of writers, and slow commits. Each changes an image of its writer.

    The kinds are ``feed`` (with a reader), ``unlocked`` (same rows, never numbered) and ``none`` (no feed).
    """
    cursor.execute(
        """INSERT INTO image_metadata (id, filename, s3_key, mime_type, size_bytes, width, height, sha256)
           SELECT gen_random_uuid(), 'a.jpg', 'originals/a.jpg', 'image/jpeg', 1, 1, 1, sha256(n::text::bytea)
           FROM generate_series(1, %s) AS n RETURNING id""",
        (max(WRITERS + SLOW_WRITERS),),
    )
    ids = [image_id for (image_id,) in cursor.fetchall()]
    cursor.execute("SELECT pg_get_functiondef('note_change'::regproc)")
    (note_change,) = cursor.fetchone() or ("",)
    cursor.execute(WITHOUT_LOCK)
    trigger = "ALTER TABLE image_metadata {} TRIGGER image_metadata_change_noted"
    prepare = {
        "feed": note_change,
        "unlocked": note_change.replace("changes_unnumbered", "changes_unlocked"),
        "none": trigger.format("DISABLE"),
    }
    rates: dict[tuple[str, int, bool], float] = {}
    for is_slow, all_writers in ((False, WRITERS), (True, SLOW_WRITERS)):
        for writers in all_writers:

            def count(sql: str, ids: list[str] = ids[:writers], is_slow: bool = is_slow) -> float:
                cursor.execute(f"{trigger.format('ENABLE')}; {sql}")
                return count_commits(environ, ids, is_slow=is_slow)

            medians = take_turns({name: partial(count, sql) for name, sql in prepare.items()}, TURNS)
            rates |= {(name, writers, is_slow): rate for name, rate in medians.items()}
            found = ", ".join(f"{name} {rate:,.0f}" for name, rate in medians.items())
            print(f"changes: commits a second by {writers} writers, slow {is_slow}: {found}", flush=True)
    return rates


def count_commits(environ: dict[str, str], ids: list[str], *, is_slow: bool) -> float:
    """Commits a second, over SECONDS, while a reader numbers."""
    counts = [0] * len(ids)
    start = threading.Barrier(len(ids) + 2)
    end = [0.0]

    def write(place: int, cursor: psycopg2.extensions.cursor) -> None:
        title = f"title {counts[place]}"
        sql = "UPDATE image_metadata SET title = %s, version = version + 1 WHERE id = %s"
        cursor.execute(sql, (title, ids[place]))
        counts[place] += 1

    def read(cursor: psycopg2.extensions.cursor) -> None:
        time.sleep(READ_SECONDS)
        numbered = True
        while numbered:
            cursor.execute("SELECT number_changes(1000) > 0")
            (numbered,) = cursor.fetchone() or (False,)

    def work(act: Callable[[psycopg2.extensions.cursor], None]) -> None:
        with contextlib.closing(connect(environ)) as connection, connection.cursor() as cursor:
            if is_slow:
                cursor.execute(SLOW_COMMIT)
            start.wait()
            while time.perf_counter() < end[0]:
                act(cursor)

    actions = [*(partial(write, place) for place in range(len(ids))), read]
    threads = [threading.Thread(target=work, args=(act,)) for act in actions]
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
    with run_with_cursor() as (environ, cursor):
        start = time.perf_counter()
        pages = measure_pages(cursor, environ, rows)
        cursor.execute(
            """SELECT sum(pg_relation_size(inhrelid)), sum(pg_total_relation_size(inhrelid))
               FROM pg_inherits WHERE inhparent = 'changes'::regclass"""
        )
        table, total = cursor.fetchone() or (0, 0)
        seconds = time.perf_counter() - start
    for page in pages:
        print(f"{page.name}, {WAITING:,} waiting: {page.value:.2f} ms, SELECT 1: {page.floor:.2f} ms")
    print(
        f"{table / rows:.0f} bytes a row, {total / rows:.0f} with indexes; filled and read in {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
