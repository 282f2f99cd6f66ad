"""Replaces SQS and its event source mapping: sends waiting analyses to the function as SQS events.

The rows of image_analysis are the queue; on AWS, messages only say when to look. Here the table is polled
once a second instead, so no queue server is needed.
"""

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psycopg2

from local.gateway.logs import LogSink
from local.gateway.pool import Pool
from local.gateway.worker import REGION, InvokeError
from local.settings import Settings

FUNCTION = "AnalyzeFunction"
POLL_SECONDS = 1.0
PAUSE_SECONDS = 10.0
"""The pause after an error."""
BATCH = 1
"""The template's BatchSize: the function's Timeout is for one image."""
WAITING_SQL = """
    SELECT image_id::text FROM image_analysis
    WHERE status IN ('queued', 'running') AND lease_until <= now() ORDER BY lease_until LIMIT %s"""


def is_wanted(settings: Settings) -> bool:
    """Whether ANALYZE_UPLOADS is on and there is a key for Gemini."""
    return settings.value("ANALYZE_UPLOADS").lower() == "true" and bool(settings.value("GEMINI_API_KEY"))


def start_queue(
    settings: Settings, pools: Mapping[str, Pool], connect: Callable[[], Any], logs: LogSink
) -> Callable[[], None]:
    """Start sending waiting analyses to the function, if wanted. Returns a function that stops it."""
    stop = threading.Event()
    if FUNCTION in pools and is_wanted(settings):
        arguments = (pools[FUNCTION], connect, logs, stop)
        threading.Thread(target=_follow, args=arguments, daemon=True).start()
    return stop.set


def make_event(image_ids: list[str]) -> dict[str, Any]:
    """The event that SQS sends to Lambda for these images."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "local",
                "body": json.dumps({"image_id": image_id}),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:analysis",
                "awsRegion": REGION,
            }
            for image_id in image_ids
        ]
    }


def _follow(pool: Pool, connect: Callable[[], Any], logs: LogSink, stop: threading.Event) -> None:
    while not stop.is_set():
        seconds = POLL_SECONDS
        try:
            with contextlib.closing(connect()) as connection:
                connection.autocommit = True
                while not stop.wait(POLL_SECONDS):
                    waiting = find_waiting(connection)
                    if waiting:
                        pool.invoke(json.dumps(make_event(waiting)))
        except psycopg2.Error as error:
            logs.note("analysis queue", str(error).strip().partition("\n")[0])
            seconds = PAUSE_SECONDS
        except InvokeError:  # logged by the pool
            seconds = PAUSE_SECONDS
        stop.wait(seconds)


def find_waiting(connection: Any) -> list[str]:
    """Images whose analysis is due, the longest waiting first."""
    cursor = connection.cursor()
    cursor.execute(WAITING_SQL, (BATCH,))
    return [image_id for (image_id,) in cursor.fetchall()]
