"""The state of a run, or of the containers of docker compose: Monitor.snapshot()."""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from local.errors import LocalError
from local.facts import find_facts
from local.monitor.containers import Containers, find_containers
from local.monitor.probes import ask_health, ask_stats, read_bucket, read_database, read_disk, read_machine
from local.monitor.processes import Processes
from local.settings import Settings

DATABASE_SECONDS = 5.0
BUCKET_SECONDS = 30.0
HEALTH_SECONDS = 10.0
"""Each is a request, which the API counts and logs like any other."""


class Every:
    """Asks again only when its last answer is older than `seconds`."""

    def __init__(self, seconds: float, ask: Callable[[], dict[str, Any]]) -> None:
        self._seconds = seconds
        self._ask = ask
        self._asked = float("-inf")
        self._answer: dict[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        if time.monotonic() - self._asked >= self._seconds:
            self._answer = self._ask()
            self._asked = time.monotonic()
        return self._answer


class Monitor:
    """Watches the run with these facts, else the containers. Raises LocalError when there are neither."""

    def __init__(self, settings: Settings, facts: dict[str, Any] | None) -> None:
        self._data_dir = settings.data_dir
        self._source: Processes | Containers
        if facts:
            self._source, self.mode = Processes(facts, lambda: find_facts(settings.data_dir)), "run"
        else:
            containers = find_containers(settings)
            if containers is None:
                raise LocalError(
                    "Nothing runs here: start `make run`, or `make up` for the containers, then try again."
                )
            self._source, self.mode = containers, "docker"
        self._target = target = self._source.target
        self._health = Every(HEALTH_SECONDS, lambda: ask_health(target))
        self._database = Every(DATABASE_SECONDS, lambda: read_database(target))
        self._bucket = Every(BUCKET_SECONDS, lambda: read_bucket(target))

    def snapshot(self) -> dict[str, Any]:
        """The state at this moment; the JSON of --once --json.

        {"at", "mode": "run" | "docker",
         "machine": {"cpu_percent", "memory": {"used", "total"}, "disk": {"used", "total"}},
         "parts": [{"name", "id", "state", "cpu_percent", "memory", "health"}],
         "api": {"base_url", "health": {…} | null, "stats": {…} | null},
         "database": {"rows": {state: n}, "Uploads", "UploadedBytes", "Renders", "SweepFindings", …},
         "bucket": {"objects", "bytes", "complete"}}

        Sizes are in bytes. A store that does not answer is {"error": …}.
        """
        health = self._health()
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "mode": self.mode,
            "machine": {**read_machine(), "disk": read_disk(self._data_dir)},
            "parts": self._source.read(health),
            "api": {
                "base_url": self._target.base_url,
                "health": health or None,
                "stats": ask_stats(self._target),
            },
            "database": self._database(),
            "bucket": self._bucket(),
        }


def run_monitor(arguments: argparse.Namespace, settings: Settings, facts: dict[str, Any] | None) -> None:
    """Show a table until Ctrl-C; with --once, print one and end. Raises LocalError when nothing runs."""
    if arguments.json and not arguments.once:
        raise LocalError("--json goes with --once.")
    monitor = Monitor(settings, facts)
    if arguments.once:
        time.sleep(0.2)  # CPU use is measured over a time
        shot = monitor.snapshot()
        if arguments.json:
            print(json.dumps(shot, indent=2))
            return
    from local.monitor.view import show_live, show_once

    if arguments.once:
        show_once(shot)
    else:
        show_live(monitor.snapshot, max(0.5, arguments.interval))
