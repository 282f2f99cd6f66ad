"""Build .venv, or print the reason why not. This runs under the system's python3, which may be too old.

python3 local/bootstrap.py VENV STAMP LOCK...
"""

import os
import platform
import shutil
import subprocess
import sys
import time

PLATFORMS = ("Linux x86_64", "Linux aarch64", "Darwin arm64")
"""Platforms that have wheels of PostgreSQL and S3."""

INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-user")
AS_LOCKED = ("--require-hashes", "--only-binary=:all:")
"""Install only files that the locks list, and no source archives: their installation runs code."""
WITHOUT_WHEEL = ("--no-binary=watchdog",)
"""SAM CLI's version of it lacks a wheel for Python 3.14 on macOS. The lock contains the archive's hash."""


def check_platform() -> None:
    """Exit with a message on a platform without wheels of PostgreSQL and S3."""
    here = f"{platform.system()} {platform.machine()}"
    if here not in PLATFORMS:
        sys.exit(
            f"error: image-api runs on Linux (x86-64, arm64) and on macOS with Apple silicon, not on {here}. "
            "Run it in Docker instead: docker compose --profile api up --build -d"
        )


def check_python() -> None:
    """Exit with a message if this Python is too old, or newer than the wheels."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        sys.exit(
            f"error: Python 3.11 to 3.14 is required; {sys.executable} is {platform.python_version()}. "
            "Choose another one: make run PYTHON=python3.13"
        )


def works(python: str) -> bool:
    """Whether the environment's Python starts, has this version and includes pip."""
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return os.path.exists(python) and subprocess.call([python, "-c", check], stderr=subprocess.DEVNULL) == 0


def take_turn(path: str) -> int:
    """A descriptor with the lock on `path`. The lock is released when the command that holds it ends."""
    import fcntl  # missing on Windows, which check_platform() rejects

    lock = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode()
        print(f"Waiting for process {holder}, which is preparing the same environment", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def run(lock: int, *command: str) -> None:
    """Run a command; exit if it fails. The command prints the reason, and holds the lock until it ends."""
    code = subprocess.call(command, pass_fds=[lock])
    if code:
        sys.exit(code)


def install(lock: int, command: list[str], locks: list[str]) -> None:
    """Install the packages of `locks`, and show only the progress. pip prints errors itself."""
    total = 0
    for path in locks:
        with open(path) as lines:
            total += sum(line[:1].isalnum() for line in lines)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[lock])
    assert process.stdout
    seen, text = 0, ""
    for line in process.stdout:
        seen += line.startswith(("Collecting ", "Requirement already satisfied"))
        text = "installing" if line.startswith("Installing") or text == "installing" else f"{seen} of {total}"
        show_progress(seen / max(total, 1), text)
    code = process.wait()
    show_progress(1, "failed" if code else "done", end="\n")
    if code:
        sys.exit(code)


def show_progress(part: float, text: str, end: str = "") -> None:
    """Draw a bar, if this is a terminal."""
    if sys.stdout.isatty():
        filled = round(30 * part)
        print(f"\r  [{'#' * filled}{'.' * (30 - filled)}] {text:<20}", end=end, flush=True)


def main() -> None:
    folder, stamp, *locks = sys.argv[1:]
    check_platform()
    check_python()
    python = os.path.join(folder, "bin", "python")
    started = time.time()
    lock = take_turn(f"{folder}.lock")
    if os.path.exists(stamp) and os.path.getmtime(stamp) > started and works(python):
        return  # the other command has done it
    if not works(python):
        print(f"Creating {folder} with Python {platform.python_version()}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        run(lock, sys.executable, "-m", "venv", folder)
    print("Installing packages: about 250 MB the first time, up to a few minutes", flush=True)
    exceptions = WITHOUT_WHEEL if sys.platform == "darwin" and sys.version_info >= (3, 14) else ()
    required = (f"--requirement={path}" for path in locks)
    install(lock, [python, *INSTALL, *AS_LOCKED, *exceptions, *required], locks)
    with open(stamp, "w"):  # make compares its modification time
        pass


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
