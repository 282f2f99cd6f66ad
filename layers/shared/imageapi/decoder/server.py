"""The decoder's process. It holds no secret, and forks when ``client`` asks.

``client`` sends a byte with three descriptors: of pipes for tasks and results, and of a *lifeline*. A task is
a line of JSON and a file. On the lifeline, the client writes how long it waits, in seconds. When that time is
over, or the client closes the lifeline or dies, the fork is killed. The server exits when the client's socket
closes.
"""

import gc
import io
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from PIL import Image

from imageapi.decoder import results, sandbox
from imageapi.errors import TooComplexError
from imageapi.model.variant_names import Variant
from imageapi.pictures.inspect import inspect
from imageapi.pictures.out_of_memory import forget_errors, is_out_of_memory
from imageapi.pictures.render import render

MAX_SECONDS = 60.0
"""The deadline until the client has written another."""
Result = tuple[dict[str, Any], bytes]


class _Fork:
    """A fork, until it is killed."""

    def __init__(self, pid: int, lifeline: int) -> None:
        self.pid, self._lifeline = pid, lifeline
        self.deadline = time.monotonic() + MAX_SECONDS

    def read_deadline(self) -> bool:
        """Read what the client has written. Returns False when the lifeline ends."""
        lines = os.read(self._lifeline, results.MAX_LINE).split()
        if lines:
            self.deadline = time.monotonic() + float(lines[-1])
        return bool(lines)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._lifeline)


def serve(descriptor: int, operation: str, limits: sandbox.Limits) -> None:
    """Fork whenever the client asks, until the socket closes.

    Args:
        descriptor: the socket.
        operation: ``inspect`` or ``render``: what the forks do.
    """
    control = socket.socket(fileno=descriptor)
    forks: dict[int, _Fork] = {}
    poller = select.poll()
    poller.register(control, select.POLLIN)
    _warm_up()
    while True:
        ready = [number for number, _ in poller.poll(_milliseconds_left(forks))]
        overdue = [number for number, fork in forks.items() if fork.deadline < time.monotonic()]
        ended = [number for number in ready if number in forks and not forks[number].read_deadline()]
        for number in {*overdue, *ended}:
            poller.unregister(number)
            forks.pop(number).kill()
        if descriptor in ready:
            message, descriptors, *_ = socket.recv_fds(control, 1, 3)
            if not message:
                break
            task, result, lifeline = descriptors
            forks[lifeline] = _Fork(_fork(operation, limits, task, result), lifeline)
            poller.register(lifeline, select.POLLIN)
    for fork in forks.values():
        fork.kill()


def _warm_up() -> None:
    """Do once what every fork would have to do, in memory that all of them share."""
    if sandbox.prepare() and not _can_filter():
        print("The decoder has no seccomp filter: the kernel refuses it. HEICs are refused.", file=sys.stderr)
    image = io.BytesIO()
    Image.new("RGB", (64, 48)).save(image, "JPEG")
    inspect(image, 64 * 48)
    gc.collect()
    gc.freeze()


def _can_filter() -> bool:
    """Whether a fork gets the filter of system calls, tried in one."""
    pid = os.fork()
    if not pid:
        os._exit(0 if sandbox.filter_system_calls() else 1)
    return os.waitpid(pid, 0)[1] == 0


def _milliseconds_left(forks: dict[int, _Fork]) -> float | None:
    """Until the next deadline; None without one."""
    deadlines = [fork.deadline for fork in forks.values() if fork.deadline < math.inf]
    return max(0.0, min(deadlines) - time.monotonic()) * 1000 + 1 if deadlines else None


def _fork(operation: str, limits: sandbox.Limits, task: int, result: int) -> int:
    """Decode files in a fork, which does not return. Returns its process id, and closes the descriptors."""
    if pid := os.fork():
        os.close(task)
        os.close(result)
        return pid
    try:
        sandbox.die_with_parent()
        sandbox.close_all_but({task, result})
        source, output = os.fdopen(task, "rb"), os.fdopen(result, "wb")
        sandbox.enter(limits)
        while line := source.readline(results.MAX_LINE):
            arguments = json.loads(line)
            _work(operation, io.BytesIO(source.read(arguments.pop("bytes"))), arguments, output)
    finally:
        os._exit(0)


def _work(operation: str, source: IO[bytes], arguments: dict[str, Any], output: IO[bytes]) -> None:
    forget_errors()
    try:
        facts, data = _OPERATIONS[operation](source, **arguments)
        results.write(output, {**facts, "cpu_seconds": time.process_time()}, data)
    except Exception as error:
        is_too_complex = isinstance(error, MemoryError) or is_out_of_memory()
        results.write_error(output, TooComplexError() if is_too_complex else error)


def _inspect(source: IO[bytes], max_pixels: int) -> Result:
    picture = inspect(source, max_pixels)
    return results.picture_facts(picture), picture.intermediate or b""


def _render(
    source: IO[bytes], max_pixels: int, variant: tuple[int, bool, str], size: tuple[int, int] | None
) -> Result:
    return {}, render(source, Variant(*variant), max_pixels, size)


_OPERATIONS: dict[str, Callable[..., Result]] = {"inspect": _inspect, "render": _render}
