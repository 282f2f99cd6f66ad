"""A tag for 200 of 100,000 images, one transaction for each or one for all, against their bare UPDATEs."""

import json
from collections.abc import Callable

import psycopg2

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import load_handler, make_context, make_event
from benchmarks.listing import fill_table
from benchmarks.servers import connect, run_servers
from tests.support.events import Handler

NAME = "batch"
IMAGES, ROUNDS, WARM_UP = 200, 20, 2


def run() -> list[Figure]:
    with run_servers() as environ:
        connection = connect(environ)
        print(f"batch: {IMAGES} images, {ROUNDS} rounds", flush=True)
        with connection.cursor() as cursor, load_handler("batch", environ) as handler:
            fill_table(cursor)
            cursor.execute("SELECT id FROM image_metadata ORDER BY id DESC LIMIT %s", (IMAGES,))
            ids = [str(row[0]) for row in cursor.fetchall()]

            def change(work: Callable[[], object]) -> Callable[[], float]:
                def call() -> float:
                    cursor.execute(
                        "UPDATE image_metadata SET tags = '{a}' WHERE id = ANY(%s::uuid[])", (ids,)
                    )
                    return timed(work)()

                return call

            def touch_each() -> None:
                for image_id in ids:
                    touch(cursor, [image_id])

            calls = {
                "each": change(lambda: add_tag(handler, ids, atomic=False)),
                "all": change(lambda: add_tag(handler, ids, atomic=True)),
                "each, bare": change(touch_each),
                "all, bare": change(lambda: touch(cursor, ids)),
            }
            take_turns(calls, WARM_UP)
            medians = take_turns(calls, ROUNDS)
        connection.close()
    return [
        Figure(f"batch, a tag for {IMAGES}, all or none", medians["all"], medians["all, bare"], "one UPDATE"),
        Figure(f"batch, a tag for {IMAGES}, each", medians["each"], medians["each, bare"], "200 UPDATEs"),
    ]


def add_tag(handler: Handler, ids: list[str], *, atomic: bool) -> None:
    body = json.dumps({"ids": ids, "operation": "add_tags", "tags": ["new"], "atomic": atomic}).encode()
    answer = handler(make_event("POST", "/api/images/batch", body=body), make_context())
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["succeeded"] == IMAGES


def touch(cursor: "psycopg2.extensions.cursor", ids: list[str]) -> None:
    """Change the rows with all that a change costs the database: tokens, indexes, counts, the feed."""
    cursor.execute(
        """UPDATE image_metadata SET tags = tags || '{b}'::text[], tokens = tokens || 1, version = version + 1
           WHERE id = ANY(%s::uuid[])""",
        (ids,),
    )
