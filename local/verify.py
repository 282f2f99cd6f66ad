"""`make verify`: compare all rows with their objects, in slices of 15 s (``sweep.verify``). After a stop, it
resumes.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.invocation import Invoke, find_parameters, local_function, stack_function
from local.run_info import say, short
from local.settings import Settings

FUNCTION = "SweepFunction"
ATTEMPTS, PAUSE_SECONDS = 4, 5.0
"""Attempts of a slice: a store may not respond, or a sweep may use the function's only execution."""
KINDS = {
    "restored": "restored",
    "missing": "MISSING",
    "different": "DIFFERENT",
    "lost": "lost variant",
}
"""The function's lists of keys, and the printed word for each."""


@dataclass
class Progress:
    """The findings so far, which are saved after each slice.

    Attributes:
        after: where the next slice begins.
        keys: the keys of each of KINDS.
    """

    restore: bool
    begun: str = field(default_factory=lambda: datetime.now(UTC).isoformat(sep=" ", timespec="minutes"))
    after: str = ""
    originals: int = 0
    variants: int = 0
    keys: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, found: dict[str, Any]) -> None:
        """Add the findings of a slice."""
        self.after = found["after"]
        self.originals += found["originals"]
        self.variants += found["variants"]
        for kind in KINDS:
            self.keys[kind] += found[kind]

    @property
    def wrong(self) -> int:
        """The number of missing or different objects that were not restored."""
        return sum(len(self.keys[kind]) for kind in KINDS if kind != "restored")

    def describe(self, images: int) -> str:
        counts = ", ".join(f"{len(keys):,} {kind}" for kind, keys in self.keys.items())
        return f"{self.originals:,} of {images:,} originals, {self.variants:,} variants: {counts}"


def run_verify(arguments: argparse.Namespace, settings: Settings) -> int:
    """Compare all rows. Return 0, or 1 if objects are missing or different."""
    file = settings.data_dir / (f"verify-{arguments.stack}.json" if arguments.stack else "verify.json")
    if arguments.stack and arguments.restore and find_parameters(arguments.stack)["Versioning"] != "true":
        raise LocalError(f"{arguments.stack} has Versioning=false: it keeps no deleted files.")
    if arguments.stack:
        opened = stack_function(arguments.stack, FUNCTION)
    else:
        opened = local_function(settings, FUNCTION)
    with opened as invoke:
        try:
            return verify(invoke, file, restore=arguments.restore)
        except KeyboardInterrupt:
            say("\nStopped. To resume, run the same command again.")
            raise


def verify(invoke: Invoke, file: Path, *, restore: bool) -> int:
    """Compare slice by slice. Return the exit status.

    Args:
        file: stores the progress until the end.
    """
    progress = _load(file, restore)
    while True:
        found = _invoke_slice(invoke, {"restore": restore, "after": progress.after})
        progress.add(found)
        for kind, label in KINDS.items():
            for key in found[kind]:
                say(f"{label.ljust(14)}{key}")
        say(progress.describe(found["images"]))
        if not progress.after:
            break
        _save(file, progress)
    file.unlink(missing_ok=True)
    say(_conclude(progress))
    return 1 if progress.wrong else 0


def _conclude(progress: Progress) -> str:
    if not progress.wrong:
        return "Every row has its file."
    if progress.restore:
        return (
            f"{progress.wrong:,} file(s) are still missing or different: the bucket has no version of them."
        )
    return f"{progress.wrong:,} file(s) are missing or different. RESTORE=1 restores those with a version."


def _invoke_slice(invoke: Invoke, options: dict[str, Any]) -> dict[str, Any]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            found: dict[str, Any] = json.loads(invoke(json.dumps({"verify": options})))
            return found
        except LocalError as error:
            if attempt == ATTEMPTS:
                raise LocalError(f"{error} To resume, run the same command again.") from error
            say(f"{error} Trying again in {PAUSE_SECONDS:.0f} s.")
            time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _load(file: Path, restore: bool) -> Progress:
    """The progress of an interrupted run, or of a new one."""
    try:
        progress = Progress(**json.loads(file.read_text()))
    except FileNotFoundError:
        return Progress(restore)
    if progress.restore != restore:
        return Progress(restore)
    say(f"Resuming the run started at {progress.begun} UTC. To start over, delete {short(file)}.")
    return progress


def _save(file: Path, progress: Progress) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps(asdict(progress)))
    new.replace(file)
