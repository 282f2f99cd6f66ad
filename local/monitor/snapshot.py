"""The state of a run, or of the containers of docker compose: Monitor.snapshot()."""

import argparse
import itertools
import json
import time
from typing import Any

from local.errors import LocalError
from local.gateway.response_stats import PATH
from local.monitor import probes
from local.run_info import find_run_info
from local.settings import Settings

SECONDS = 2.0
STORES_EVERY = 5
"""Query the stores only in every fifth snapshot, because the API counts and logs each query as a request."""


class Monitor:
    """Watches the run described by ``info``, else the containers. Raises LocalError without either."""

    def __init__(self, settings: Settings, info: dict[str, Any] | None) -> None:
        self._data_dir = settings.data_dir
        self._info = info
        if info:
            self._base_url = info["base_url"]
            self._database = {key: value for key, value in info["database"].items() if key != "pid"}
        else:
            self._base_url = f"http://127.0.0.1:{settings.port}"
            self._database = {
                "host": "127.0.0.1",
                "port": settings.db_port,
                "user": settings.value("POSTGRES_USER", "postgres"),
                "password": settings.value("POSTGRES_PASSWORD"),
                "dbname": settings.value("POSTGRES_DB", "imagedb"),
            }
        self._stores: dict[str, Any] = {"health": {}}
        if not self._read_parts():  # also discards the first CPU percentages, which are always 0
            raise LocalError(
                "Nothing runs here: start `make run`, or `make up` for the containers, then try again."
            )

    def _read_parts(self) -> list[dict[str, Any]]:
        if not self._info:
            return probes.read_containers()
        self._info = find_run_info(self._data_dir) or self._info  # a restarted server has another pid
        return probes.read_processes(self._info, self._stores["health"])

    def snapshot(self, ask_stores: bool = True) -> dict[str, Any]:
        """The current state. Without `ask_stores`, the state of the stores is that of an earlier call.

        {"at", "mode": "run" | "docker",
         "machine": {"cpu_percent", "memory": {"used", "total"}, "disk": {"used", "total"}},
         "parts": [{"name", "id", "state", "cpu_percent", "memory", "health"}],
         "api": {"base_url", "health": {…}, "stats": {…}},
         "database": {"images", "uploads", "original_bytes", "database_bytes", "Renders", "SweepFindings"}}

        Sizes are in bytes. Without a response, the API's values are {} and the database's {"error": …}.
        """
        if ask_stores:
            health = probes.get_json(self._base_url + "/health", "checks")
            self._stores = {"health": health, "database": probes.read_database(self._database)}
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "mode": "run" if self._info else "docker",
            "machine": probes.read_machine(self._data_dir),
            "parts": self._read_parts(),
            "api": {
                "base_url": self._base_url,
                "health": self._stores["health"],
                "stats": probes.get_json(self._base_url + PATH, "functions"),
            },
            "database": self._stores["database"],
        }


def run_monitor(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """Show a table until Ctrl-C. With --once or --json, print it once. Raises LocalError."""
    monitor = Monitor(settings, info)
    if arguments.json or arguments.once:
        time.sleep(0.2)  # CPU use is measured over an interval
        shot = monitor.snapshot()
        if arguments.json:
            print(json.dumps(shot, indent=2))
            return
    from local.monitor.view import show_live, show_once

    if arguments.once:
        show_once(shot)
    else:
        show_live((monitor.snapshot(number % STORES_EVERY == 0) for number in itertools.count()), SECONDS)
