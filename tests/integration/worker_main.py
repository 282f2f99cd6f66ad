"""What runs in a worker process (see worker.py): it answers events, and stops or dies where it is told to.

A line on standard input is ``{"event": …, "hook": null | ["storage.put_object", "before", 1, "kill"]}``; the
answer is a line on standard output. A hook is at a call between the service's modules: before or after the
nth call of that function since the event, the process writes ``paused`` and waits for a line, or dies. What
dies is a fork, so that the next event needs no new interpreter: ``killed`` is what is written then.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, TextIO

from tests.support.events import Event, handle, load_handler


def install_hook(hook: list[Any], pause: Callable[[], None]) -> Callable[[], None]:
    """Wrap one function of the service. Returns what takes the wrapper away."""
    target, when, count, action = hook
    module_name, _, name = target.rpartition(".")
    module = importlib.import_module(f"imageapi.{module_name}")
    original = getattr(module, name)
    calls = 0

    def act(moment: str) -> None:
        if moment == when and calls == count:
            if action == "pause":
                pause()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        act("before")
        result = original(*args, **kwargs)
        act("after")
        return result

    setattr(module, name, wrapper)
    return lambda: setattr(module, name, original)


def serve(answers: TextIO) -> None:
    def write(line: str) -> None:
        answers.write(line + "\n")
        answers.flush()

    def pause() -> None:
        write("paused")
        sys.stdin.readline()

    def answer(event: Event, hook: list[Any] | None) -> None:
        remove = install_hook(hook, pause) if hook else None
        write(json.dumps(handle(event)))
        if remove:
            remove()

    write("ready")
    while line := sys.stdin.readline():
        message = json.loads(line)
        if message["hook"] and message["hook"][-1] == "kill":
            if answer_in_fork(answer, message) == -signal.SIGKILL:
                write("killed")
        else:
            answer(**message)


def answer_in_fork(answer: Callable[..., None], message: dict[str, Any]) -> int:
    """Let a child answer. Returns its exit code, or the signal that killed it as a negative number."""
    child = os.fork()
    if child == 0:
        answer(**message)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    # The service logs to standard output: that goes where errors go, and answers have a way of their own.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # Everything that the first upload would import; nothing is connected yet, and no thread is running.
    load_handler("UploadFunction")
    storage = importlib.import_module("imageapi.storage")
    storage.get_client()
    storage.get_connections()
    serve(channel)
