"""Functions in processes of their own: several at once, paused between two steps, or killed there."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, NamedTuple

import psutil

from tests.support.answers import Answer, parse
from tests.support.events import ROOT, Event

STEP = "step"


class Hook(NamedTuple):
    """A place in the service, and what happens there: before or after the nth call since the event.

    Attributes:
        target: a function of a module (``storage.put_object``); ``STEP`` for any call to a store.
    """

    target: str
    when: Literal["before", "after"]
    call: int = 1
    action: Literal["kill", "pause"] = "kill"


class Worker:
    """One process. Use :func:`worker`, which ends it."""

    def __init__(self, environment: Mapping[str, str], constants: Mapping[str, float] | None = None) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "shared")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.worker_main", json.dumps(dict(constants or {}))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **environment},
        )

    def wait_ready(self) -> None:
        assert self.read() == {"ready": True}

    def send(
        self, event: Event, hook: Hook | None = None, *, function: str | None = None, fork: bool = False
    ) -> None:
        """Hand over an event without waiting for anything.

        Args:
            function: by its logical id; None finds it by the event's route.
            fork: a child answers, without the connections of earlier events. What a hook kills always is one.
        """
        fork = fork or (hook is not None and hook.action == "kill")
        message = {"event": event, "hook": hook, "function": function, "fork": fork}
        data = json.dumps(message).encode()
        self._write(len(data).to_bytes(4, "big") + data)

    def read(self) -> dict[str, Any]:
        """Wait for the next message of the process (see worker_main.py)."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the worker has ended"
        message: dict[str, Any] = json.loads(line)
        return message

    def answer(self) -> Answer:
        """Wait for the answer to the event, which no child answers."""
        message = self.read()
        assert "response" in message, message
        return parse(message["response"])

    def wait_paused(self) -> None:
        assert self.read() == {"paused": True}

    def resume(self) -> None:
        self._write(b"\n")

    def wait_killed(self) -> None:
        """Wait until a hook has killed what was answering; fails when there was an answer instead."""
        assert self.read() == {"ended": -signal.SIGKILL}

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def kill_child(self) -> None:
        """Kill the child that is answering, unless it has ended."""
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
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
