"""The user of a server process, because PostgreSQL refuses to run as root."""

import contextlib
import os
import pwd
import re
import shutil
from pathlib import Path

from local.errors import LocalError

CAP_DAC_READ_SEARCH = 2


def server_user(*folders: Path) -> pwd.struct_passwd | None:
    """The user of a server process if root starts it; else None.

    This is the owner of the first folder that root does not own, so that the owner of files stays the same;
    else `postgres`, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for folder in folders:
        if folder.exists() and (uid := folder.stat().st_uid):
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LocalError(
        "PostgreSQL cannot run as root, and the user nobody, which would run it, does not exist."
    )


def become(user: pwd.struct_passwd, *paths: Path) -> list[str]:
    """The command prefix to run a program as `user`, with access to `paths` even in folders such as /root."""
    if not shutil.which("setpriv"):
        raise LocalError("To start as root, install setpriv (package util-linux). Or run as another user.")
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(can_reach(path, user) for path in paths):
        held = int(re.findall(r"CapPrm:\s*(\w+)", Path("/proc/self/status").read_text())[0], 16)
        # In Docker, root has only the second, which also allows the server to write anywhere.
        capability = "dac_read_search" if held >> CAP_DAC_READ_SEARCH & 1 else "dac_override"
        # initdb finds programs with access(2), which honors capabilities only with this bit.
        command.append("--securebits=+no_setuid_fixup")
        command += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
    return command


def can_reach(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether file modes allow `user` to enter every folder above `path`."""
    for folder in path.resolve().parents:
        status = folder.stat()
        shift = 6 if status.st_uid == user.pw_uid else 3 if status.st_gid == user.pw_gid else 0
        if not status.st_mode >> shift & 1:
            return False
    return True
