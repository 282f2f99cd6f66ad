"""Clients: their processes, requests and responses."""

import socket
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from tests.interleavings.process import Answered, Call, Permission, Seen, Sleep
from tests.support.answers import parse
from tests.support.events import Event
from tests.support.worker import Child


class Request(NamedTuple):
    """One request of a client, or one event.

    Attributes:
        kind: the name of the operation.
        image_id: its image; empty if it creates one.
    """

    kind: str
    function: str
    event: Event
    image_id: str = ""


@dataclass
class Result:
    """A request and its response.

    Attributes:
        began, ended: the numbers of the steps before its first call and after its last one.
        status: that of an event without an error is 200.
    """

    client: str
    request: Request
    began: int
    ended: int = -1
    status: int = 0
    code: str = ""
    body: Any = None


Script = Generator[Request, Result, None]


class State(Enum):
    """The state of a client."""

    READY = auto()
    BLOCKED = auto()
    ASLEEP = auto()
    DONE = auto()


class Process(Child):
    """One process that handles events; see process.py."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        limits = {"DB_STATEMENT_TIMEOUT": "600", "PIPE": str(theirs.fileno())}
        super().__init__(
            "tests.interleavings.process",
            environment={**environment, **limits},
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.pipe = Connection(ours.detach())

    def run(self, request: Request, abandon_at: str = "") -> Answered:
        """Run a single request.

        Args:
            abandon_at: the beginning of the name of the call at which it stops as if killed.
        """
        self.pipe.send((request.function, request.event))
        while not isinstance(message := self.pipe.recv(), Answered):
            if isinstance(message, Seen):
                continue
            stops = abandon_at and isinstance(message, Call) and message.name.startswith(abandon_at)
            self.pipe.send(Permission.ABANDON if stops else Permission.TIME_OVER)
        assert not abandon_at or message == Answered(), f"{request.kind} does not reach {abandon_at}"
        return message

    def close(self) -> None:
        self.pipe.close()
        super().close()


@dataclass
class Client:
    """A client that sends its requests one after the other.

    Attributes:
        name: a letter.
        call: its next call, or the sleep that it is in.
        seen: the progress of all when it fell asleep.
        step: the number of its last step.
        looks: whether it has only checked for work since its last sleep.
    """

    name: str
    process: Process
    script: Script
    state: State = State.READY
    call: Call | Sleep = field(default_factory=Sleep)
    seen: int = 0
    step: int = 0
    looks: bool = False
    result: Result | None = None


def fill(result: Result, answered: Answered) -> None:
    """Note the response to a request."""
    if answered.error:
        result.status, result.code = answered.error
    elif "statusCode" not in answered.response:  # an event
        result.status, result.body = 200, answered.response
    else:
        answer = parse(answered.response)
        result.status, result.body = answer.status, answer.body
        if answer.status >= 400:
            result.code = answer.code
