"""Replace EventBridge for a schedule of the template. AnalyzeFunction's is disabled, because
analysis_poller.py polls its table.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.gateway.pool import Pool

UNIT_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


def make_work(pool: Pool, properties: Mapping[str, Any], stamp: Path) -> Callable[[Any], bool] | None:
    """The work that invokes the function when it is due; None if the schedule is disabled.

    The modification time of the file `stamp` is the time of the last run. If the machine was off at that
    time, the missed run follows at the next start.
    """
    if properties.get("State") == "DISABLED":
        return None
    seconds = read_seconds(properties["Schedule"])
    stamp.open("a").close()  # the first run is one interval from now

    def work(_connection: Any) -> bool:
        if time.time() - stamp.stat().st_mtime >= seconds:
            try:
                pool.invoke(properties.get("Input", '{"source": "aws.events"}'))
            finally:
                stamp.touch()
        return False

    return work


def read_seconds(expression: str) -> int:
    """The interval of a schedule. A daily cron() may run at any hour: the machine may be off at its own."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return int(found[1]) * UNIT_SECONDS[found[2]]
    if re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", expression):
        return UNIT_SECONDS["day"]
    raise LocalError(f"make run does not support the schedule {expression}. Use rate(…) or a daily cron(…).")
