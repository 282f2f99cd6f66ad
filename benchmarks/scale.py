"""`python -m benchmarks.scale --rows N …`: measure lists and searches at each size, and `SELECT 1`.

Fills a real PostgreSQL with skewed rows (see ``corpus``), calls the list handler on a warm connection, and
prints p50 and p95 of each kind of page. A list that is refused as too many to sort says so. With ``--chart``,
draws latency against rows. With ``--churn``, the indexes exist while rows are added, and then a tenth is
changed and a tenth deleted.
"""

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import psycopg2.extensions

from benchmarks.chart import draw_chart
from benchmarks.figures import timed
from benchmarks.handlers import clear_caches, load_handler, make_context, make_event
from benchmarks.servers import insert, run_with_cursor
from tests.support import corpus
from tests.support.events import Handler
from tests.support.postgres import without_time_limit

LIMIT = 50
ROUNDS, WARM_UP = 60, 10
PAGES: dict[str, dict[str, str | list[str]]] = {
    "newest page": {},
    "category, common": {"category": corpus.CATEGORIES[0]},
    "category, rare": {"category": corpus.CATEGORIES[-1]},
    "tag": {"tags": corpus.ENGLISH[2]},
    "two tags": {"tags": [corpus.ENGLISH[5], corpus.PLACES[7]]},
    "media type": {"mime_type": "image/webp"},
    "width, rare": {"width.gte": "5000"},
    "created in one hour": {"created_at.gte": "HOUR_START", "created_at.lt": "HOUR_END"},
    "sort by title": {"sort": "title"},
    "sort by size": {"sort": "-size_bytes"},
    "category, by title": {"category": corpus.CATEGORIES[0], "sort": "title"},
    "tag, by size": {"tags": corpus.ENGLISH[-1], "sort": "-size_bytes"},
    "two tags, by size": {"tags": [corpus.ENGLISH[5], corpus.PLACES[7]], "sort": "-size_bytes"},
    "category, tag, by size": {
        "category": corpus.CATEGORIES[1],
        "tags": corpus.ENGLISH[1],
        "sort": "-size_bytes",
    },
    "q, 1 character": {"q": "桜"},
    "q, 2 characters": {"q": "夜景"},
    "q, 5 characters": {"q": "東京の夜景"},
    "q, rare word": {"q": corpus.RARE_WORD},
    "q, common word": {"q": corpus.COMMON_WORD},
    "q, absent word": {"q": corpus.ABSENT_WORD},
    "q, two words": {"q": f"{corpus.ENGLISH[3]} {corpus.ENGLISH[20]}"},
    "q, 2 characters, by title": {"q": "夜景", "sort": "title"},
    "q, two words, by title": {"q": f"{corpus.ENGLISH[3]} {corpus.ENGLISH[20]}", "sort": "title"},
    "q in a category": {"q": "猫", "category": corpus.CATEGORIES[3]},
}
DEEP = "page at half depth"
INSERT = "insert, all indexes"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--churn", action="store_true", help="as if it had been used")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw latency against rows as SVG")
    arguments = parser.parse_args()
    results: dict[int, dict[str, tuple[float, float]]] = {}
    with run_with_cursor() as (environ, cursor), load_handler("list", environ) as handler:
        filled = 0
        for rows in sorted(arguments.rows):
            seconds = corpus.fill(cursor, rows - filled, filled, churn=arguments.churn)
            clear_caches()  # drop caches of the smaller table
            say(f"\n{rows:,} rows ({rows - filled:,} more in {seconds:,.0f} s)")
            filled = rows
            results[rows] = measure(cursor, handler, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if arguments.chart:
        names = ["newest page", DEEP, "tag", "q, 2 characters", "q, common word", "q, rare word"]
        series = {name: [(rows, figures[name][0]) for rows, figures in results.items()] for name in names}
        arguments.chart.write_text(draw_chart("p50 of a page of 50, in ms, against rows", series))
        print(f"Drawn to {arguments.chart}.")
    return 0


def measure(
    cursor: psycopg2.extensions.cursor, handler: Handler, rows: int
) -> dict[str, tuple[float, float]]:
    """Measure p50 and p95 of each kind of page, in milliseconds, and print each."""
    floor = measure_call(timed(lambda: cursor.execute("SELECT 1")))
    say(f"  {'SELECT 1':34} {floor[0]:8.2f} {floor[1]:8.2f} ms (p50, p95)")
    figures = {"SELECT 1": floor}
    deep: dict[str, str | list[str]] = {"cursor": find_cursor(cursor, rows // 2)}
    for name, query in {**PAGES, DEEP: deep}.items():
        statuses: set[int] = set()
        figures[name] = measure_call(make_call(handler, fill_in(query, rows), statuses))
        report(name if statuses == {200} else f"{name}: too many", figures[name], floor[0])
    bare, full = measure_inserts(cursor, rows)
    figures[INSERT] = full
    report(f"{INSERT} ({full[0] / bare[0]:.1f} x without)", full, floor[0])
    return figures


def make_call(handler: Handler, query: dict[str, str | list[str]], statuses: set[int]) -> Callable[[], float]:
    """A timed request that adds its status to ``statuses``."""
    pairs = [("limit", str(LIMIT))]
    for name, values in query.items():
        pairs += [(name, value) for value in (values if isinstance(values, list) else [values])]
    event = make_event("GET", "/api/images", query=pairs)

    def call() -> None:
        answer = handler(event, make_context())
        assert answer["statusCode"] == 200 or "too_many_to_sort" in answer["body"], answer
        statuses.add(answer["statusCode"])

    return timed(call)


def measure_call(call: Callable[[], float]) -> tuple[float, float]:
    for _ in range(WARM_UP):
        call()
    samples = sorted(call() for _ in range(ROUNDS))
    return statistics.median(samples), samples[int(len(samples) * 0.95)]


def report(name: str, figure: tuple[float, float], floor: float) -> None:
    times = figure[0] / floor
    say(f"  {name:34} {figure[0]:8.2f} {figure[1]:8.2f} ms   {times:6.1f} x SELECT 1")


def say(text: str) -> None:
    """Print to the real standard output, because sys.stdout is redirected."""
    print(text, file=sys.__stdout__, flush=True)


def fill_in(query: dict[str, str | list[str]], rows: int) -> dict[str, str | list[str]]:
    """Replace HOUR_START in a query with the hour in the middle of the rows."""
    if query.get("created_at.gte") != "HOUR_START":
        return query
    start = datetime.fromtimestamp(corpus.START / 1000 + rows // 2, UTC)
    end = start + timedelta(hours=1)
    return {"created_at.gte": start.isoformat(), "created_at.lt": end.isoformat()}


def find_cursor(cursor: psycopg2.extensions.cursor, row: int) -> str:
    """The service's cursor of the page that begins at a row."""
    from imageapi.search.cursors import Position, encode_cursor
    from imageapi.search.list_parameters import ListQuery

    with without_time_limit():
        cursor.execute("SELECT id FROM image_metadata ORDER BY id DESC OFFSET %s LIMIT 1", (row,))
    found = cursor.fetchone()
    assert found
    return encode_cursor(Position(0, None, UUID(found[0])), ListQuery().filters)


def measure_inserts(
    cursor: psycopg2.extensions.cursor, rows: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Measure committed inserts into a table with only a primary key and into the real one. Undo both."""
    cursor.execute("DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE image_metadata INCLUDING DEFAULTS)")
    cursor.execute("ALTER TABLE bare ADD PRIMARY KEY (id)")
    samples = {}
    for table in ("bare", "image_metadata"):
        made = (corpus.make_row(number) for number in itertools.count(rows))
        source = ({**row, "id": str(row["id"]), **corpus.find_tokens(row)} for row in made)
        samples[table] = measure_call(timed(partial(insert_next, cursor, table, source)))
    with without_time_limit():
        cursor.execute("DROP TABLE bare")
        cursor.execute(
            "DELETE FROM image_metadata WHERE created_at >= %s", (corpus.make_row(rows)["created_at"],)
        )
    return samples["bare"], samples["image_metadata"]


def insert_next(cursor: psycopg2.extensions.cursor, table: str, source: Iterator[dict[str, Any]]) -> None:
    insert(cursor, table, next(source))


if __name__ == "__main__":
    sys.exit(main())
