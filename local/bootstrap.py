"""Builds .venv, and says what is missing when it cannot. Run by the system's python3, whatever its version.

    python3 local/bootstrap.py VENV REQUIREMENTS STAMP

Does nothing when STAMP holds the hash of the requirements and of the Python that made VENV.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
PLATFORMS = ("Linux x86_64", "Linux aarch64", "Darwin arm64")
"""Where PostgreSQL and S3 come as wheels."""
INCLUDE = re.compile(r"^-r\s+(\S+)", re.MULTILINE)


def say(text: str) -> None:
    print(text, flush=True)


def fail(text: str) -> None:
    sys.exit("error: " + text)


def check_platform() -> None:
    """End with a sentence where there is no PostgreSQL or no S3 server to install."""
    here = "{} {}".format(platform.system(), platform.machine())
    if here not in PLATFORMS:
        fail(
            "This runs on Linux (x86-64, arm64) and on macOS with Apple silicon, not on {}. "
            "In Docker it runs here too: docker compose --profile api up --build -d".format(here)
        )


def check_python() -> None:
    """End with a sentence when this Python cannot do it."""
    version = "{}.{}.{}".format(*sys.version_info[:3])
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        fail(
            "Python 3.11 to 3.14 is needed, and {} is {}. Choose another: make run PYTHON=python3.13".format(
                sys.executable, version
            )
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail(
            "{} cannot make virtual environments. On Debian and Ubuntu: apt install python{}.{}-venv".format(
                sys.executable, *sys.version_info[:2]
            )
        )


def all_requirements(path: str) -> "list[str]":
    """The file and those that it includes, each once."""
    with open(path, encoding="utf-8") as file:
        included = INCLUDE.findall(file.read())
    found = [path]
    for name in included:
        for inner in all_requirements(os.path.normpath(os.path.join(os.path.dirname(path), name))):
            if inner not in found:
                found.append(inner)
    return found


def make_fingerprint(requirements: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in all_requirements(requirements):
        with open(path, "rb") as file:
            digest.update(file.read() + b"\0")
    return digest.hexdigest()


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def works(python: str) -> bool:
    """Whether the environment's Python starts, is of this version and has pip."""
    check = "import sys, pip; sys.exit(sys.version_info[:2] != {!r})".format(tuple(sys.version_info[:2]))
    try:
        return subprocess.call([python, "-c", check], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_venv(folder: str, python: str) -> None:
    if works(python):
        return
    say("Making {} with Python {}.{}.{}".format(folder, *sys.version_info[:3]))
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        fail("{} -m venv failed:\n{}".format(sys.executable, done.stdout.decode(errors="replace")))


def install(python: str, requirements: str) -> None:
    """pip install, with a count instead of pip's own lines, which are shown when it fails."""
    say("Installing {} (some 250 MB to fetch the first time; a minute or two)".format(requirements))
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]
    process = subprocess.Popen(
        [*command, "--requirement", requirements], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: "list[str]" = []
    found = 0
    for line in process.stdout or ():
        lines.append(line)
        text = ""
        if line.startswith("Collecting "):
            found += 1
            text = "  {} packages: {}".format(found, line.split()[1])
        elif line.startswith("Installing collected"):
            text = "  unpacking {} packages".format(line.count(",") + 1)
        if text and sys.stdout.isatty():
            print("\r\033[K" + text[:100], end="", flush=True)
        elif text.startswith("  unpacking"):
            say(text)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.wait() != 0:
        fail("pip could not install {}:\n{}".format(requirements, "".join(lines[-25:])))


def main() -> None:
    folder, requirements, stamp = sys.argv[1:4]
    check_platform()
    check_python()
    python = os.path.join(folder, "bin", "python")
    fingerprint = make_fingerprint(requirements)
    if read(stamp) != fingerprint or not works(python):
        make_venv(folder, python)
        install(python, requirements)
    with open(stamp, "w", encoding="utf-8") as file:  # also when it was right: make goes by its time
        file.write(fingerprint)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
