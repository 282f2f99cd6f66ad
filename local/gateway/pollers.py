"""Replace SQS with its event source mappings, EventBridge and S3's events.

The rows of a table are the queue; on AWS, messages only start a check. Here the tables, the bucket and the
schedules are polled once a second instead, so no queue server is needed.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg2
from botocore.exceptions import BotoCoreError, ClientError

from local.gateway import analysis_poller, arrivals, schedules, webhook_poller
from local.gateway.logs import LogSink
from local.gateway.pool import Pool
from local.gateway.worker import InvokeError
from local.settings import Settings

POLL_SECONDS = 1.0
PAUSE_SECONDS = 10.0
"""The pause after an error."""

Connect = Callable[[], Any]
Work = Callable[[Any], bool]
"""Does a part of the waiting work, and returns whether more may be due at once. It is called only while the
database responds, because every function needs it."""


def start_pollers(
    settings: Settings, pools: Mapping[str, Pool], connect: Connect, logs: LogSink, folder: Path
) -> Callable[[], None]:
    """Start the enabled pollers. `folder` stores when schedules ran. Return a function that stops them."""
    works: dict[str, Work | None] = {
        "analysis queue": analysis_poller.make_work(settings, pools),
        "webhook queue": webhook_poller.make_work(settings, pools),
        "arrivals": arrivals.make_work(pools),
    }
    for function, pool in pools.items():
        for event, source in pool.spec.events.items():
            if source["Type"] == "Schedule":
                name = f"{function}.{event}"
                works[name] = schedules.make_work(pool, source["Properties"], folder / f"{name}.ran")
    wanted = {name: work for name, work in works.items() if work}
    if wanted:
        logs.note("scheduled here", ", ".join(wanted))
    stop = threading.Event()
    for name, work in wanted.items():
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
        except (psycopg2.Error, BotoCoreError, ClientError, OSError) as error:
            logs.note(name, str(error).strip().partition("\n")[0])
            seconds = PAUSE_SECONDS
        except InvokeError:  # logged by the pool
            seconds = PAUSE_SECONDS
        stop.wait(seconds)
