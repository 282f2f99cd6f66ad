"""The service in a process of its own, whose children can be killed or paused at any step."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import psutil

from tests.support.events import ROOT, Event


@dataclass(frozen=True)
class At:
    """The place where something happens: before or after the nth step of an event."""

    step: int
    moment: Literal["before", "after"]


@dataclass(frozen=True)
class Outcome:
    """What came of an event.

    Attributes:
        status: 0 when the process was killed.
        steps: what was called, in order; empty when the process was killed.
        reached: whether the place of the fault was reached.
    """

    status: int
    body: Any = None
    location: str = ""
    steps: list[str] = field(default_factory=list)
    reached: bool = False

    @property
    def code(self) -> str:
        if isinstance(self.body, dict) and "error" in self.body:
            return str(self.body["error"]["code"])
        return str(self.body) if isinstance(self.body, str) else ""


class Worker:
    """One process; each event is answered by a fresh child of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "shared")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker_main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **environment},
        )
        assert self._read() == {"ready": True}

    def run(self, function: str, event: Event) -> Outcome:
        """Answer an event, undisturbed."""
        self._write({"function": function, "event": event})
        return self._finish()

    def kill_at(self, function: str, event: Event, at: At) -> Outcome:
        """Answer an event until kill -9."""
        self._write(
            {"function": function, "event": event, "step": at.step, "moment": at.moment, "action": "kill"}
        )
        outcome = self._finish()
        return replace(outcome, reached=outcome.status == 0)

    def pause_at(
        self,
        function: str,
        event: Event,
        at: At,
        then: Callable[[], None],
        kill_when: Callable[[], None] | None = None,
    ) -> Outcome:
        """Answer an event, and do something at the step.

        Args:
            then: what is done; the event goes on when it returns.
            kill_when: the process is killed when this returns, unless it has ended by then.
        """
        self._write(
            {"function": function, "event": event, "step": at.step, "moment": at.moment, "action": "pause"}
        )
        message = self._read()
        if "paused" not in message:
            return self._finish(message)
        then()
        self._send(b"\n")
        if kill_when:
            kill_when()
            for child in psutil.Process(self._process.pid).children():
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        return replace(self._finish(), reached=True)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _finish(self, message: dict[str, Any] | None = None) -> Outcome:
        """Read up to the end of the child. An answer counts when it was given before the end came."""
        outcome = Outcome(0)
        message = message or self._read()
        if "ended" not in message:
            outcome = Outcome(**message)
            message = self._read()
        assert message["ended"] in (0, -signal.SIGKILL), "the worker has crashed"
        return outcome

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the worker has ended"
        message: dict[str, Any] = json.loads(line)
        return message

    def _write(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        self._send(len(data).to_bytes(4, "big") + data)

    def _send(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()
