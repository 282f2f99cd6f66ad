"""Functions in processes of their own: several at once, paused between two steps, or killed there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, NamedTuple

from tests.integration.client import Answer, parse
from tests.support.events import ROOT, Event


class Hook(NamedTuple):
    """A place in the service (before or after the nth call of a function), and what happens there."""

    target: str
    when: Literal["before", "after"]
    call: int = 1
    action: Literal["kill", "pause"] = "kill"


class Worker:
    """One process. Use :func:`worker`, which ends it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "shared")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.worker_main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **environment},
            text=True,
        )

    def wait_ready(self) -> None:
        assert self._read() == "ready"

    def send(self, event: Event, hook: Hook | None = None) -> None:
        """Hand over an event without waiting for anything."""
        self._write(json.dumps({"event": event, "hook": hook}))

    def answer(self) -> Answer:
        """Wait for the answer to the event."""
        return parse(json.loads(self._read()))

    def wait_paused(self) -> None:
        assert self._read() == "paused"

    def resume(self) -> None:
        self._write("")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait_killed(self) -> None:
        """Wait until a hook has killed what was answering; fails when there was an answer instead."""
        assert self._read() == "killed"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@contextmanager
def workers(environment: Mapping[str, str], count: int) -> Iterator[list[Worker]]:
    """So many processes, ready to answer."""
    started: list[Worker] = []
    try:
        for _ in range(count):
            started.append(Worker(environment))
        for process in started:
            process.wait_ready()
        yield started
    finally:
        for process in started:
            process.close()


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[Worker]:
    """One process, ready to answer."""
    with workers(environment, 1) as (process,):
        yield process


def answer_at_once(processes: list[Worker], event: Event) -> list[Answer]:
    """Send one event to all of them at the same time."""
    for process in processes:
        process.send(event)
    return [process.answer() for process in processes]
