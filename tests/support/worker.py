"""Functions in separate processes: run concurrently, paused between steps, or killed there."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, NamedTuple

import psutil

from tests import ROOT
from tests.support.answers import Answer, parse
from tests.support.events import Event

STEP = "step"


class Hook(NamedTuple):
    """A fault before or after the nth call of a function of the service since the event.

    Attributes:
        target: a function of a module (``storage.s3.put_object``); ``STEP`` for any call to a store.
    """

    target: str
    when: Literal["before", "after"]
    call: int = 1
    action: Literal["kill", "pause"] = "kill"


class Child:
    """A process that runs a module of the tests with only these variables, and responds in lines of JSON.

    Args:
        options: of :class:`subprocess.Popen`.
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str], **options: Any) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "shared")])
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        start: Any = subprocess.Popen  # typed for each kind of options
        self._process: subprocess.Popen[bytes] = start(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **environment},
            **(pipes | options),
        )

    def write(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def fileno(self) -> int:
        assert self._process.stdout
        return self._process.stdout.fileno()

    def read(self) -> dict[str, Any]:
        """Wait for the next message of the process."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Worker(Child):
    """A process that handles one event at a time, each in a fresh child; :func:`worker` provides one.

    Attributes:
        is_idle: whether nothing is left to read and no child is running.
    """

    def __init__(self, environment: Mapping[str, str], constants: Mapping[str, float] | None = None) -> None:
        super().__init__(
            "tests.support.worker_main", json.dumps(dict(constants or {})), environment=environment
        )
        self.is_idle = True

    def send(self, event: Event, hook: Hook | None = None, *, function: str | None = None) -> None:
        """Send an event without waiting.

        Args:
            function: its logical id; None: the function of the event's route.
        """
        assert self.is_idle
        self.is_idle = False
        data = json.dumps({"event": event, "hook": hook, "function": function}).encode()
        self.write(len(data).to_bytes(4, "big") + data)

    def read(self) -> dict[str, Any]:
        """Wait for the next message (see worker_main.py)."""
        message = super().read()
        self.is_idle = "ended" in message
        return message

    def read_response(self) -> Any:
        """Wait for the function's return value and for the child's end."""
        message = self.read()
        assert "response" in message, message
        assert self.read() == {"ended": 0}
        return message["response"]

    def answer(self) -> Answer:
        """Wait for the response to a request."""
        return parse(self.read_response())

    def wait_paused(self) -> None:
        assert self.read() == {"paused": True}

    def resume(self) -> None:
        self.write(b"\n")

    def finish(self) -> Answer:
        """Resume, and wait for the response."""
        self.resume()
        return self.answer()

    def wait_killed(self) -> None:
        """Wait until a hook has killed the child; fails if it responded instead."""
        assert self.read() == {"ended": -signal.SIGKILL}

    def kill(self) -> None:
        """Kill the current child, unless it has ended."""
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def close(self) -> None:
        self.kill()
        super().close()


_idle: dict[frozenset[tuple[str, str]], list[Worker]] = {}
"""Idle processes, by environment: starting one takes half a second of CPU time."""


@contextmanager
def workers(environment: Mapping[str, str], count: int) -> Iterator[list[Worker]]:
    """``count`` processes, ready for events."""
    idle = _idle.setdefault(frozenset(environment.items()), [])
    taken = [idle.pop() if idle else Worker(environment) for _ in range(count)]
    try:
        yield taken
    finally:
        for process in taken:
            if process.is_idle:
                idle.append(process)
            else:
                process.close()


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[Worker]:
    """One process, ready for events."""
    with workers(environment, 1) as (process,):
        yield process


def answer_at_once(processes: list[Worker], event: Event) -> list[Answer]:
    """Send one event to all of them concurrently."""
    for process in processes:
        process.send(event)
    return [process.answer() for process in processes]
