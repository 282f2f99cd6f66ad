"""Replaces the decoder with one that misbehaves: instead of decoding a file, it does what the file says."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

from imageapi.decoder import server
from imageapi.decoder.sandbox import Limits
from imageapi.errors import UnprocessableError


def read_file(path: str) -> str:
    return Path(path).read_text(errors="replace")


def read_memory() -> str:
    """Copy eight bytes of the function's memory, without any descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffers = [ctypes.create_string_buffer(8), ctypes.create_string_buffer(16)]
    local, remote = ((ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8) for buffer in buffers)
    if libc.process_vm_readv(os.getppid(), local, 1, remote, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")
    return "read"


def write_gigabyte() -> None:
    for descriptor in open_descriptors():
        os.ftruncate(descriptor, 2**30)


def open_descriptors() -> list[int]:
    found = []
    for descriptor in range(1_024):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return found


def loop() -> None:
    while True:
        pass


def write(text: bytes) -> None:
    """Write to the pipe, in place of the result."""
    os.write(open_descriptors()[-1], text)


def stop_early() -> None:
    write(b'{"bytes": 9}\n')
    os._exit(0)


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "file": lambda: read_file("/etc/passwd"),
    "parent's environment": lambda: read_file(f"/proc/{os.getppid()}/environ"),
    "parent's memory": lambda: read_file(f"/proc/{os.getppid()}/mem"),
    "parent's memory by system call": read_memory,
    "socket": socket.socket,
    "pair of sockets": socket.socketpair,
    "pipe": os.pipe,
    "copy of a descriptor": lambda: os.dup(open_descriptors()[0]),
    "process": os.fork,
    "program": lambda: subprocess.run(["/bin/true"], check=True),
    "other program": lambda: os.execv(sys.executable, [sys.executable, "-V"]),
    "signal": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "gigabyte on disk": write_gigabyte,
    "higher limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)),
    "folder": lambda: os.listdir("/"),
    "deleted file": lambda: os.unlink("/tmp/nothing"),
    "endless loop": loop,
    "wait": threading.Event().wait,
    "memory": lambda: len([bytearray(2**20) for _ in range(10 * 2**10)]),
    "crash": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(0),
    "too many bytes": lambda: write(b'{"format": "JPEG", "bytes": 9999999999}\n'),
    "too few bytes": stop_early,
    "noise": lambda: write(b"\xff" * 5_000 + b"\n"),
    "descriptors": lambda: len(open_descriptors()),
    "environment": lambda: sorted({*os.environ} - {"LC_CTYPE"}),  # Python itself sets it
}


def attempt(source: IO[bytes], **_: Any) -> NoReturn:
    """Do what the file says. The outcome is the message of the error that the function sees."""
    name = source.read()[3:].decode()
    try:
        outcome = f"succeeded: {ATTEMPTS[name]()}"
    except (OSError, ValueError) as error:
        outcome = f"failed: {type(error).__name__}"
    raise UnprocessableError(outcome, code="image_corrupt")


def serve(descriptor: int, operation: str, limits: Limits) -> None:
    server._warm_up = lambda: None  # it decodes
    server._OPERATIONS[operation] = attempt
    server.serve(descriptor, operation, limits)
