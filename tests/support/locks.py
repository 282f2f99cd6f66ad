"""Reads lock files: pip's requirements with hashes, as `make lock` writes them."""

import re
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests import ROOT

SOURCES = sorted([*ROOT.glob("requirements*.in"), *ROOT.glob("layers/*/requirements*.in")])


class Locked(NamedTuple):
    version: str
    hashes: list[str]
    asked_by: set[str]
    """The names of the files that require it; empty if only other packages do."""
    is_for_here: bool
    """Whether its marker admits this platform."""


def read_lock(path: Path) -> dict[NormalizedName, Locked]:
    """All packages of a lock, by name."""
    text = path.read_text(encoding="utf-8").replace(" \\\n", " ")
    found = {}
    for line, comments in re.findall(r"^([^\s#].*)\n((?: +#.*\n)*)", text, re.M):
        requirement = Requirement(line.partition(" --hash=")[0])
        found[canonicalize_name(requirement.name)] = Locked(
            str(requirement.specifier).removeprefix("=="),
            re.findall(r"--hash=sha256:[0-9a-f]{64}", line),
            {Path(file).name for file in re.findall(r"-r (\S+)", comments)},
            not requirement.marker or requirement.marker.evaluate(),
        )
    return found


def read_versions(path: Path) -> dict[NormalizedName, str]:
    """The versions that are installed here, by name."""
    return {name: entry.version for name, entry in read_lock(path).items() if entry.is_for_here}
