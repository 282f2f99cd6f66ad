"""The service in its own process, whose children can be killed or paused at any step."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.answers import parse
from tests.support.events import Event
from tests.support.worker import STEP, Hook, Worker

CONSTANTS = {"storage.clients.CONNECT_SECONDS": 0.5, "storage.clients.READ_SECONDS": 1.0}
"""Timeouts short enough for hundreds of unresponsive stores."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of an event.

    Attributes:
        status: 0 when the process was killed.
        steps: the calls, in order; empty when the process was killed.
        reached: whether the fault's step was reached.
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


class Service:
    """One process that forks a child for each event. Hooks come from :func:`at_step`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._worker = Worker(environment, CONSTANTS)
        self.close = self._worker.close

    def run(self, function: str, event: Event, hook: Hook | None = None) -> Outcome:
        """Handle an event, up to the hook if it kills."""
        self._worker.send(event, hook, function=function)
        outcome = self._finish(self._worker.read())
        return replace(outcome, reached=outcome.status == 0)

    def run_patiently(self, function: str, event: Event) -> Outcome:
        """Handle an event; again if a time limit ends it, as on a busy machine."""
        outcome = self.run(function, event)
        return self.run(function, event) if outcome.status == 503 else outcome

    def pause_at(
        self,
        function: str,
        event: Event,
        step: int,
        then: Callable[[], object],
        kill_when: Callable[[], object] | None = None,
    ) -> Outcome:
        """Handle an event, and call ``then`` before the step.

        Args:
            then: the event continues when it returns.
            kill_when: the process is killed when this returns, unless it has ended by then.
        """
        self._worker.send(event, at_step(step, "before", "pause"), function=function)
        message = self._worker.read()
        if "paused" not in message:
            return self._finish(message)
        then()
        self._worker.resume()
        if kill_when:
            kill_when()
            self._worker.kill()
        return replace(self._finish(self._worker.read()), reached=True)

    def _finish(self, message: dict[str, Any]) -> Outcome:
        """Read until the child ends. A response counts if it was sent before that."""
        outcome = Outcome(0)
        if "ended" not in message:
            outcome = read_outcome(message)
            message = self._worker.read()
        assert message["ended"] in (0, -signal.SIGKILL), "the worker has crashed"
        return outcome


def read_outcome(message: dict[str, Any]) -> Outcome:
    """The outcome of a handled event."""
    steps = message["steps"]
    if "error" in message:
        status, body = message["error"]
        return Outcome(status, body, steps=steps)
    response = message["response"]
    if "statusCode" not in response:  # ingest and sweep
        return Outcome(200, response, steps=steps)
    answer = parse(response)
    (location,) = answer.headers.get("location", [""])
    return Outcome(answer.status, answer.body, location, steps)


def at_step(step: int, when: Any, action: Any = "kill") -> Hook:
    """The place before or after the nth step of an event."""
    return Hook(STEP, when, step, action)
