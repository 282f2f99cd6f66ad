"""The check of an API key on a warm connection. It takes one statement, or none for the root key."""

import json

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.servers import run_with_cursor
from tests.support.events import API_KEY, Handler

NAME = "keys"
KEYS = 1_000
ROUNDS, WARM_UP = 1_000, 100
GOAL_MILLISECONDS = 0.5


def run() -> list[Figure]:
    from imageapi.api_keys.check import check_key

    with run_with_cursor() as (environ, cursor), load_handler("manage", environ) as handler:
        print(f"keys: {KEYS:,} keys, {ROUNDS:,} rounds", flush=True)
        keys = [make_key(handler) for _ in range(KEYS)]
        calls = {
            "key": timed(lambda: check_key(keys[KEYS // 2], (API_KEY,))),
            "root": timed(lambda: check_key(API_KEY, (API_KEY,))),
            "floor": timed(lambda: cursor.execute("SELECT 1")),
        }
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
    goal = f"{GOAL_MILLISECONDS} ms"
    return [
        Figure("keys, check of a key", medians["key"], medians["floor"], "SELECT 1"),
        Figure("keys, check of a key", medians["key"], GOAL_MILLISECONDS, goal, goal=1),
        Figure("keys, check of the root key", medians["root"], medians["floor"], "SELECT 1"),
    ]


def make_key(handler: Handler) -> str:
    body = json.dumps({"name": "benchmark", "scopes": ["images:read"]}).encode()
    answer = handler(make_event("POST", "/api/keys", body=body), make_context())
    assert answer["statusCode"] == 201, answer
    key: str = json.loads(answer["body"])["data"]["key"]
    return key
