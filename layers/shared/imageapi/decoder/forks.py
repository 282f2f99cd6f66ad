"""The decoder's processes, one for each operation, and their forks, which decode files."""

import atexit
import fcntl
import io
import json
import math
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import IO, Any, cast

from imageapi.config.settings import library_path
from imageapi.deadline import time_left
from imageapi.decoder import results
from imageapi.decoder.sandbox import Limits

MAX_WAIT_SECONDS = 30.0
"""The longest time for one file, in seconds, even if the function has more."""
PIPE_BYTES = 2**20
REUSED_SECONDS, REUSED_FILES = 1, 20
"""A fork ends after this CPU time, or this many files: a hostile one may lie about its time."""
REUSED_WAIT_SECONDS = 5.0
"""The longest time for a file in a used fork. After that, a new one decodes it."""
START = (
    "import sys; sys.path[:] = sys.argv[5:];"
    "from imageapi.decoder.sandbox import Limits; from imageapi.decoder.server import serve;"
    "serve(int(sys.argv[1]), sys.argv[2], Limits(int(sys.argv[3]), int(sys.argv[4])))"
)
LIMITS = {
    # The heaviest still images take a third of the time. The heaviest accepted image takes 769 MiB: a
    # progressive CMYK JPEG of 100 megapixels.
    "inspect": Limits(12 + REUSED_SECONDS, 880 * 2**20),
    # Half of the time is for the AVIF encoder. More memory, because a JPEG is decoded at the required size.
    # The heaviest takes 1,144 MiB: a progressive CMYK JPEG of 65,000 x 1,530 pixels, cropped to a square.
    "render": Limits(24 + REUSED_SECONDS, 1_250 * 2**20),
}


class Fork:
    """A process that decodes files, one after the other.

    Args:
        task: a pipe, as all of them, for lines of JSON, each with a file.
        result: for the results.
        lifeline: for the seconds until the process is killed. It is killed, too, when this is closed.
    """

    def __init__(self, task: int, result: int, lifeline: int) -> None:
        self._task, self._lifeline = io.FileIO(task, "w"), io.FileIO(lifeline, "w")
        self._result = os.fdopen(result, "rb")
        self.cpu_seconds, self.files = 0.0, 0

    @property
    def is_used(self) -> bool:
        """Whether it has been sent a file before the current one."""
        return self.files > 1

    def send(self, source: IO[bytes], arguments: dict[str, Any]) -> None:
        """Let it decode a file. A used fork must be quick: an earlier file may have broken it."""
        self.cpu_seconds = math.inf  # until a result arrives
        self.files += 1
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        with suppress(BrokenPipeError):  # read() raises the error
            longest = REUSED_WAIT_SECONDS if self.is_used else MAX_WAIT_SECONDS
            self._lifeline.write(f"{min(longest, time_left())}\n".encode())
            self._task.write(json.dumps({"bytes": size, **arguments}).encode() + b"\n")
            shutil.copyfileobj(source, self._task, PIPE_BYTES)

    def read(self) -> tuple[dict[str, Any], bytes]:
        """The result. Raises errors as :func:`results.read`."""
        facts, data = results.read(self._result)
        self.cpu_seconds = results.parse_cpu_seconds(facts)
        return facts, data

    def is_waiting(self) -> bool:
        """Whether it lives, and its pipe is empty."""
        return not _is_readable(self._result, 0)

    def pause(self) -> None:
        """Let it live until the next file."""
        self._lifeline.write(b"inf\n")

    def end(self) -> None:
        """Let the decoder's process kill it."""
        for pipe in (self._lifeline, self._task, self._result):
            with suppress(BrokenPipeError):
                pipe.close()


def _is_readable(file: IO[bytes] | socket.socket, wait_seconds: float) -> bool:
    """Whether there is something to read, or the end."""
    poller = select.poll()
    poller.register(file, select.POLLIN)
    return bool(poller.poll(wait_seconds * 1000))


def _enlarge(pipe: int) -> None:
    """Let the pipe hold most files, so that nobody waits for the fork to read them; only on Linux."""
    with suppress(AttributeError, OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


class Process:
    """The decoder's process for one operation."""

    def __init__(self, operation: str) -> None:
        self._control, theirs = socket.socketpair()
        self._lock, self._idle = Lock(), cast(Fork | None, None)
        # -I and -S: sys.path is passed on.
        options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
        command = [sys.executable, *options, "-c", START, str(theirs.fileno()), operation]
        self._popen = subprocess.Popen(
            [*command, *map(str, LIMITS[operation]), *filter(None, sys.path)],
            env=library_path(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self.pid = self._popen.pid

    def take(self) -> Fork:
        """A fork that waits for a file. Raises OSError if the process has ended."""
        if self.has_ended():
            raise BrokenPipeError
        with self._lock:
            fork, self._idle = self._idle, None
        if fork and fork.is_waiting():
            return fork
        if fork:
            fork.end()
        return self.fork()

    def give_back(self, fork: Fork, *, is_reusable: bool) -> None:
        """Keep a fork for the next file, or end it."""
        with suppress(OSError), self._lock:
            has_rest = fork.cpu_seconds < REUSED_SECONDS and fork.files < REUSED_FILES
            if is_reusable and has_rest and not self._idle:
                fork.pause()
                self._idle = fork
                return
        fork.end()

    def fork(self) -> Fork:
        """A new fork. Raises OSError if the process has ended."""
        task, task_end = os.pipe()
        _enlarge(task)
        result_end, result = os.pipe()
        lifeline_end, lifeline = os.pipe()
        sent = [task, result, lifeline_end]
        fork = Fork(task_end, result_end, lifeline)
        try:
            with self._lock:
                socket.send_fds(self._control, [b"."], sent)
        except OSError:
            fork.end()
            raise
        finally:
            for descriptor in sent:
                os.close(descriptor)
        return fork

    def has_ended(self, wait_seconds: float = 0) -> bool:
        """Whether the other end of the socket is closed: nothing is ever written to it."""
        try:
            return _is_readable(self._control, wait_seconds)
        except ValueError:  # another thread has called end()
            return True

    def end(self) -> None:
        """Let it exit, and its forks with it."""
        with self._lock:
            fork, self._idle = self._idle, None
        if fork:
            fork.end()
        self._control.close()
        self._popen.wait()


processes: dict[str, Process] = {}
_processes_lock = Lock()


def get_process(operation: str) -> Process:
    with _processes_lock:
        if operation not in processes:
            processes[operation] = Process(operation)
        return processes[operation]


def stop(operation: str, known: Process | None = None) -> None:
    """End the decoder's process, if it runs. The next file starts another.

    Args:
        known: end only this one: another thread may have replaced it.
    """
    with _processes_lock:
        process = processes.get(operation)
        if process and known in (None, process):
            del processes[operation]
            process.end()


@atexit.register
def _stop_all() -> None:
    for operation in list(processes):
        stop(operation)


def take_fork(operation: str, take: Callable[[Process], Fork]) -> tuple[Process, Fork]:
    """A fork that waits for a file. If the decoder's process has ended, another one is started."""
    process = get_process(operation)
    with suppress(OSError):
        return process, take(process)
    stop(operation, process)
    process = get_process(operation)
    return process, take(process)
