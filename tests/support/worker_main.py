"""Runs in a worker process (see worker.py): handles events, and pauses or dies at a given hook.

A message on standard input is four bytes with its length, then ``{"event", "hook", "function"}`` as JSON. A
forked child handles it, so that a killed one costs no new interpreter. Both write lines of JSON:

- ``{"paused": true}`` at a hook that pauses; one byte of input resumes it;
- ``{"response": …, "steps": ["database.db.query", …]}``;
  for an exception ``{"error": [status, code], "steps": …}``;
- ``{"ended": …}`` at the end: the child's exit code, or minus the signal that killed it.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imageapi.errors import AppError
from imageapi.storage import clients

from tests.support.events import LambdaContext, find_failure, load_handler, load_routes
from tests.support.worker import STEP, Hook

FUNCTIONS = (*("UploadFunction", "ImageFunction", "DeliverFunction"), "SweepFunction")
STORES = (
    *("database.db.query", "database.db.query_as_actor", "database.db.transaction"),
    *("storage.s3.put_object", "storage.s3.download", "storage.s3.delete_objects", "storage.s3.list_objects"),
    "storage.s3.object_exists",
    *("storage.versions.read_sha256", "storage.versions.find_versions", "storage.versions.copy_version"),
)
"""All of the service's calls to a store: the steps of an event. A transaction has its own steps."""


class Calls:
    """Counts the calls of some functions during an event, and runs the hook at one of them."""

    def __init__(self, hook: Hook | None) -> None:
        self.seen: list[str] = []
        self._hook = hook
        self._inside = False

    @contextmanager
    def watch(self, names: tuple[str, ...]) -> Iterator[None]:
        """Wrap the functions until the end of the block."""
        places = []
        for name in names:
            module_name, _, function = name.rpartition(".")
            module = importlib.import_module(f"imageapi.{module_name}")
            original = getattr(module, function)
            places.append((module, function, original))
            setattr(module, function, self._wrap(name, original))
        try:
            yield
        finally:
            for module, function, original in places:
                setattr(module, function, original)

    def _wrap(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            if self._inside:  # db.query also fetches; both are one step
                return original(*args, **options)
            self.seen.append(name)
            number = len(self.seen)
            self._reach(number, "before")
            self._inside = name in ("database.db.query", "database.db.query_as_actor")
            try:
                result = original(*args, **options)
            finally:
                self._inside = False
            self._reach(number, "after")
            return result

        return wrapper

    def _reach(self, number: int, moment: str) -> None:
        if not self._hook or (self._hook.call, self._hook.when) != (number, moment):
            return
        if self._hook.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        write({"paused": True})
        read(1)


def write(value: dict[str, Any]) -> None:
    os.write(CHANNEL, json.dumps(value).encode() + b"\n")


def read(size: int) -> bytes:
    """Read exactly ``size`` bytes of standard input: children read from it too."""
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def answer(message: dict[str, Any]) -> None:
    hook = Hook(*message["hook"]) if message["hook"] else None
    calls = Calls(hook)
    function = message["function"] or load_routes()[message["event"]["resource"]]
    names = STORES if hook is None or hook.target == STEP else (hook.target,)
    result: dict[str, Any]
    with calls.watch(names):
        try:
            response = load_handler(function)(message["event"], LambdaContext())
            failure = find_failure(response)
            result = {"error": failure} if failure else {"response": response}
        except AppError as error:
            result = {"error": [error.status, error.code]}
        except Exception as error:  # reported by the tests
            result = {"error": [500, repr(error)]}
    write({**result, "steps": calls.seen})


def answer_in_fork(message: dict[str, Any]) -> None:
    child = os.fork()
    if child == 0:
        answer(message)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    write({"ended": os.waitstatus_to_exitcode(status)})


def serve() -> None:
    while True:
        answer_in_fork(json.loads(read(int.from_bytes(read(4), "big"))))


def prepare(constants: dict[str, float]) -> None:
    """Load everything that children need, without opening connections or starting threads.

    Args:
        constants: values that replace the service's, such as ``{"storage.clients.READ_SECONDS": 1}``.
    """
    for place, value in constants.items():
        module_name, _, name = place.rpartition(".")
        module = importlib.import_module(f"imageapi.{module_name}")
        assert hasattr(module, name), place
        setattr(module, name, value)
    clients.get_client()
    clients.get_connections()
    for function in FUNCTIONS:
        load_handler(function)


if __name__ == "__main__":
    # The service logs to standard output, which is redirected to standard error; results use a copy of it.
    CHANNEL = os.dup(1)
    os.dup2(2, 1)
    prepare(json.loads(sys.argv[1]))
    serve()
