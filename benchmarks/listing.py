"""The newest page and the page at row 50,000 of 100,000. Each is one index scan."""

import json

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.scale import find_cursor
from benchmarks.servers import run_with_cursor
from tests.support import corpus
from tests.support.events import Handler

NAME = "list"
ROWS, DEEP_ROW, LIMIT = 100_000, 50_000, 50
ROUNDS, WARM_UP = 200, 20
GOAL = 1.2


def run() -> list[Figure]:
    with run_with_cursor() as (environ, cursor), load_handler("list", environ) as handler:
        print(f"list: {ROWS:,} rows, {ROUNDS} rounds", flush=True)
        corpus.fill(cursor, ROWS)
        deep = find_cursor(cursor, DEEP_ROW)
        calls = {
            "newest": timed(lambda: read_page(handler, {"limit": str(LIMIT)})),
            "deep": timed(lambda: read_page(handler, {"limit": str(LIMIT), "cursor": deep})),
            "floor": timed(lambda: cursor.execute("SELECT 1")),
        }
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
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
