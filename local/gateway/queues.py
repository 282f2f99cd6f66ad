"""Polls the database for what waits in a table: replaces SQS and its event source mappings.

The rows are the queue; on AWS, messages only say when to look. Here a table is polled once a second instead,
so no queue server is needed.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg2

from local.gateway import analysis_queue, webhook_queue
from local.gateway.logs import LogSink
from local.gateway.pool import Pool
from local.gateway.worker import InvokeError
from local.settings import Settings

POLL_SECONDS = 1.0
PAUSE_SECONDS = 10.0
"""The pause after an error."""

Connect = Callable[[], Any]
Work = Callable[[Any], bool]
"""With a connection, do some of what waits; whether there may be more at once."""


def start_queues(
    settings: Settings, pools: Mapping[str, Pool], connect: Connect, logs: LogSink
) -> Callable[[], None]:
    """Start polling for analyses and deliveries of webhooks, if wanted. Returns a function that stops it."""
    stop = threading.Event()
    for name, work in {
        "analysis queue": analysis_queue.make_work(settings, pools),
        "webhook queue": webhook_queue.make_work(settings, pools),
    }.items():
        if work:
            threading.Thread(target=_follow, args=(name, work, connect, logs, stop), daemon=True).start()
    return stop.set


def _follow(name: str, work: Work, connect: Connect, logs: LogSink, stop: threading.Event) -> None:
    while not stop.is_set():
        seconds = POLL_SECONDS
        try:
            with contextlib.closing(connect()) as connection:
                connection.autocommit = True
                while not stop.wait(POLL_SECONDS):
                    while work(connection) and not stop.is_set():
                        pass
        except psycopg2.Error as error:
            logs.note(name, str(error).strip().partition("\n")[0])
            seconds = PAUSE_SECONDS
        except InvokeError:  # logged by the pool
            seconds = PAUSE_SECONDS
        stop.wait(seconds)
