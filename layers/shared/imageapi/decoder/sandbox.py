"""Give up everything that a decoder does not need. What has been given up cannot be regained.

Two layers, since neither exists everywhere: limits of resources, on every Unix, and a seccomp filter, on
Linux. Without seccomp, a descriptor limit of zero still prevents opening files and sockets.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's AUDIT_ARCH of each machine."""
_CALLS = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233), "futex": (202, 98), "rseq": (334, 293), "set_robust_list": (273, 99),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "clock_gettime": (228, 113), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
"""The permitted system calls: memory, locks, time, the end, and descriptors that are open already. Their
numbers are in the order of _MACHINES.
"""
_CLONE, _CLONE3, _CLONE_THREAD = (56, 220), 435, 0x10000
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
"""Operations of BPF. Offsets in seccomp_data: 0 is the call's number, 4 the machine, 16 an argument."""
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_MOST_DESCRIPTORS = 65_536
_SET_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38
_SECCOMP, _SET_MODE_FILTER, _ALLOW_SPECULATION = (317, 277), 1, 4
"""Without the flag, older kernels slow down the whole process, to protect secrets that it does not have."""


class Limits(NamedTuple):
    """Limits for one file.

    Attributes:
        cpu_seconds: CPU time, after which the process is killed.
        memory: address space beyond that of the idle process, in bytes; only on Linux.
    """

    cpu_seconds: int
    memory: int


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies; only on Linux."""
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def close_all_but(keep: set[int]) -> None:
    """Close all descriptors but these."""
    for descriptor in _list_descriptors() - keep:
        with suppress(OSError):  # the list's own is closed already
            os.close(descriptor)


def _list_descriptors() -> set[int]:
    """The open descriptors. Their limit is no bound: it may be infinite, or lower than at the start."""
    try:
        return {int(name) for name in os.listdir("/dev/fd")}
    except OSError:  # a system without this folder
        return set(range(_MOST_DESCRIPTORS))


def enter(limits: Limits) -> None:
    """Give up all but computing and the open descriptors, for the rest of this process's life."""
    in_use = _count_addresses()
    _limit(resource.RLIMIT_NOFILE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    if in_use:
        _limit(resource.RLIMIT_AS, in_use + limits.memory)
    if not filter_system_calls():
        # It counts threads, and libheif needs one. The filter distinguishes them from processes.
        _limit(resource.RLIMIT_NPROC, 0)


def _limit(kind: int, value: int) -> None:
    with suppress(ValueError, OSError):  # a lower limit is set already
        resource.setrlimit(kind, (value, value))


def _count_addresses() -> int:
    """The address space in use, in bytes; 0 if it is unknown."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux
        return 0


def filter_system_calls() -> bool:
    """Refuse all other system calls, with EPERM. Returns False where seccomp does not exist."""
    program = prepare()
    if not program:
        return False
    steps = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(program))
    header = ctypes.create_string_buffer(steps)
    if not _prctl(_SET_NO_NEW_PRIVILEGES, 1):
        return False
    seccomp = ctypes.c_long(_SECCOMP[list(_MACHINES).index(platform.machine())])
    return bool(_libc().syscall(seccomp, _SET_MODE_FILTER, _ALLOW_SPECULATION, header) == 0)


@cache
def prepare() -> "ctypes.Array[ctypes.c_char] | None":
    """The filter as a program in BPF; None for another kind of machine."""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return None
    machine = list(_MACHINES).index(platform.machine())
    calls = [numbers[machine] for numbers in _CALLS.values()]
    count = len(calls)
    # Operation, jump if true, jump if not, operand. Jumps skip steps; the last three are the results.
    steps = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, count + 5, _MACHINES[platform.machine()]),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_EQUAL, count + 5, 0, _CLONE3),  # libc then uses clone
        (_JUMP_IF_EQUAL, 0, 2, _CLONE[machine]),
        (_LOAD, 0, 0, 16),
        (_JUMP_IF_SET, count + 1, count, _CLONE_THREAD),
        *((_JUMP_IF_EQUAL, count - index, 0, number) for index, number in enumerate(calls)),
        *((_RETURN, 0, 0, result) for result in (_REFUSE, _ALLOW, _UNKNOWN)),
    ]
    return ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps), len(steps) * 8)


def _prctl(option: int, *arguments: int) -> bool:
    try:
        prctl = _libc().prctl
    except AttributeError:  # not Linux
        return False
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return bool(prctl(option, *(ctypes.c_ulong(argument) for argument in padded)) == 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
