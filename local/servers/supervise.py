"""Starts one server process and ends it when its owner is gone. Standard library only.

Run as ``python -I -S supervise.py SPEC`` (see process.ManagedProcess, which writes SPEC). Standard input is a
pipe that nobody writes to: its end of file means that the owner stopped, crashed or was killed, on any system
and from any thread. The server inherits the locked file, so the lock lasts as long as any of its processes.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522
HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
QUIT_SECONDS, KILL_SECONDS = 6, 5


def drop_root(uid: int, gid: int, keep_path_access: bool) -> None:
    """Become another user; with `keep_path_access`, one that may still enter folders such as /root."""
    libc = ctypes.CDLL(None, use_errno=True) if keep_path_access else None
    if libc:
        # Capabilities stay when the user changes. access(), with which initdb finds programs, respects them.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        data = (
            ctypes.c_uint32 * 6
        )()  # effective, permitted, inheritable; then the same for capabilities above 31
        libc.capget(header, data)
        capability = next((c for c in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if data[1] >> c & 1), None)
        if capability is None:
            raise PermissionError("root has no capability here to pass folders that are closed to others")
        data[0] = data[1] = data[2] = 1 << capability
        data[3] = data[4] = data[5] = 0
        libc.capset(header, data)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def run_server(spec: dict[str, Any], supervisor: int) -> None:
    """In the child: become the server. Does not return."""
    try:
        if spec["uid"] is not None:
            drop_root(spec["uid"], spec["gid"], spec["keep_path_access"])
        if sys.platform == "linux":  # last, since a change of user clears it
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, spec["stop_signal"], 0, 0, 0)
            if os.getppid() != supervisor:
                os._exit(1)
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execv(spec["command"][0], spec["command"])
    except OSError as error:
        os.write(2, f"could not start {spec['command'][0]}: {error}\n".encode())
    os._exit(127)


def wait_for(pid: int, seconds: float) -> int | None:
    """The exit status of `pid`, or None when it is still running after that time."""
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)


def stop(pid: int, number: int, seconds: float) -> int | None:
    """End the server by its own signal, or by a stronger one when it does not end in time.

    Of PostgreSQL SIGKILL would end the first process alone, and one that is writing to a slow disk would keep
    the data folder. After SIGQUIT the first one ends all others, by SIGKILL after five seconds, and itself.
    """
    for stronger, patience in (
        (number, seconds),
        (signal.SIGQUIT, QUIT_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ):
        os.kill(pid, stronger)
        status = wait_for(pid, patience)
        if status is not None:
            return status
    return None


def main() -> int:
    spec = json.loads(sys.argv[1])
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_write)
    for number in HANDLED:
        signal.signal(number, lambda *_: None)
    supervisor = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)  # or the child could lose one to the handlers above
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        run_server(spec, supervisor)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    if spec["lock_fd"] is not None:
        os.ftruncate(spec["lock_fd"], 0)
        os.pwrite(
            spec["lock_fd"],
            json.dumps({**spec["owner"], "server_pid": pid, "supervisor_pid": supervisor}).encode(),
            0,
        )
    os.write(1, b"%d\n" % pid)
    os.close(1)
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        asked = 0 in readable
        if wake_read in readable:
            asked = asked or any(n in (signal.SIGTERM, signal.SIGINT) for n in os.read(wake_read, 64))
        status = wait_for(pid, 0)
        if status is None and asked:
            status = stop(pid, spec["stop_signal"], spec["stop_seconds"])
        if status is not None or asked:
            for path in spec["leftovers"]:
                with contextlib.suppress(OSError):
                    os.unlink(path)
            return 128 - status if status and status < 0 else status or 0


if __name__ == "__main__":
    sys.exit(main())
