"""The processes of `make run`: the runner, PostgreSQL, S3 and the workers of each function."""

from collections.abc import Callable, Mapping
from typing import Any

import psutil

from local.monitor.probes import Target

WORKER = "worker_main.py"


class Processes:
    """The processes of one run. CPU is in percent of one core, since the last read()."""

    def __init__(self, facts: Mapping[str, Any], find_facts: Callable[[], Mapping[str, Any] | None]) -> None:
        self._facts = facts
        self._find_facts = find_facts
        self._known: dict[int, psutil.Process] = {}
        database = {key: value for key, value in facts["database"].items() if key != "pid"}
        self.target = Target(facts["base_url"], database, facts["s3"])
        self.read({})  # psutil's first percentage of each process is always 0

    def read(self, health: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A part for the runner, each server and each function; `health` is the body of /health, or empty."""
        self._facts = self._find_facts() or self._facts  # a server that was restarted has another pid
        checks = health.get("checks", {})
        roots = {
            "postgres": (self._facts["database"]["pid"], _health(checks, "database")),
            "s3": (self._facts["s3"]["pid"], _health(checks, "storage")),
        }
        runner = self._facts["pid"]
        parts = [self._sum_up("runner", runner, [runner], "up" if health else "no answer")]
        for name, (pid, answer) in roots.items():
            parts.append(self._sum_up(name, pid, self._family(pid), answer))
        for name, pids in sorted(self._workers(runner).items()):
            parts.append(
                self._sum_up(name, pids[0], pids, f"{len(pids)} workers" if pids[1:] else "1 worker")
            )
        alive = {pid for part in parts for pid in part.pop("pids")}
        self._known = {pid: process for pid, process in self._known.items() if pid in alive}
        return parts

    def _family(self, pid: int) -> list[int]:
        try:
            return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        except psutil.Error:
            return []

    def _workers(self, runner: int) -> dict[str, list[int]]:
        """The pids of each function's workers, by its name in the template."""
        found: dict[str, list[int]] = {}
        for pid in self._family(runner):
            try:
                process = psutil.Process(pid)
                if any(part.endswith(WORKER) for part in process.cmdline()):
                    found.setdefault(process.environ()["AWS_LAMBDA_FUNCTION_NAME"], []).append(pid)
            except (psutil.Error, KeyError):
                continue  # it has just ended
        return found

    def _sum_up(self, name: str, pid: int, pids: list[int], health: str) -> dict[str, Any]:
        cpu, memory, state = 0.0, 0, "gone"
        for each in pids:
            try:
                process = self._known.setdefault(each, psutil.Process(each))
                with process.oneshot():
                    cpu += process.cpu_percent()
                    memory += process.memory_info().rss
                    state = process.status() if each == pid else state
            except psutil.Error:
                continue
        return {
            "name": name,
            "id": str(pid),
            "state": "running" if state == psutil.STATUS_SLEEPING else state,
            "cpu_percent": round(cpu, 1),
            "memory": memory,
            "health": health,
            "pids": pids,
        }


def _health(checks: Mapping[str, Any], name: str) -> str:
    check = checks.get(name)
    if check is None:
        return "unknown"
    return "up" if check["status"] == "up" else f"down ({check.get('error', '?')})"
