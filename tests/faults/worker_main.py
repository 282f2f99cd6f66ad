"""What runs in the worker process (see worker.py): it answers each event in a child of its own, which dies or
pauses at the step that it is told.

A step is a call of the service to a store: ``db.query``, ``db.transaction``, ``db.fetch`` within one, and all
that ``storage`` does. A message on standard input is four bytes with its length, then ``{"function", "event",
"step", "moment", "action"}``; the answers are lines.
"""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

from imageapi import db, rendering, storage
from imageapi.errors import AppError

from tests.support.events import LambdaContext, load_handler

FUNCTIONS = ("UploadFunction", "ImageFunction", "DeliverFunction", "IngestFunction", "SweepFunction")
STEPS: dict[Any, tuple[str, ...]] = {
    db: ("query", "transaction", "fetch"),
    storage: ("put_object", "download", "delete_objects", "list_objects", "object_exists"),
}


class Steps:
    """Counts the steps of one event, and acts at one of them."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.fault: dict[str, Any] = {}
        self._inside = False

    def wrap(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            if self._inside:  # db.query fetches as well: that is one step
                return original(*args, **options)
            self.seen.append(name)
            number = len(self.seen)
            self._reach(number, "before")
            self._inside = name == "db.query"
            try:
                result = original(*args, **options)
            finally:
                self._inside = False
            self._reach(number, "after")
            return result

        return wrapper

    def _reach(self, number: int, moment: str) -> None:
        if self.fault.get("step") != number or self.fault.get("moment") != moment:
            return
        if self.fault["action"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        write({"paused": True})
        read(1)


def write(value: dict[str, Any]) -> None:
    os.write(CHANNEL, json.dumps(value).encode() + b"\n")


def read(size: int) -> bytes:
    """So many bytes of standard input, and not one more: children read from it too."""
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def answer(steps: Steps, message: dict[str, Any]) -> dict[str, Any]:
    try:
        result = load_handler(message["function"])(message["event"], LambdaContext())
    except AppError as error:
        return {"status": error.status, "body": error.code, "steps": steps.seen}
    except Exception as error:  # the harness tells it
        return {"status": 500, "body": repr(error), "steps": steps.seen}
    if "statusCode" not in result:  # ingest and sweep
        return {"status": 200, "body": result, "steps": steps.seen}
    location = result["multiValueHeaders"].get("Location", [None])[0]
    body = json.loads(result["body"]) if result["body"] else None
    return {"status": result["statusCode"], "body": body, "location": location, "steps": steps.seen}


def serve(steps: Steps) -> None:
    write({"ready": True})
    while True:
        message = json.loads(read(int.from_bytes(read(4), "big")))
        child = os.fork()
        if child == 0:
            steps.fault = message
            write(answer(steps, message))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        write({"ended": os.waitstatus_to_exitcode(status)})


def prepare() -> Steps:
    """Everything that children need, but no connection."""
    steps = Steps()
    for module, names in STEPS.items():
        for name in names:
            full = f"{module.__name__.rpartition('.')[2]}.{name}"
            setattr(module, name, steps.wrap(full, getattr(module, name)))
    # Short enough for hundreds of stores that do not answer.
    storage.CONNECT_SECONDS, storage.READ_SECONDS = 0.5, 1.0
    storage.get_client()
    storage.get_connections()
    for name in FUNCTIONS:
        load_handler(name)
    assert rendering
    return steps


if __name__ == "__main__":
    # The service logs to standard output: that goes where errors go, and answers have a way of their own.
    CHANNEL = os.dup(1)
    os.dup2(2, 1)
    serve(prepare())
