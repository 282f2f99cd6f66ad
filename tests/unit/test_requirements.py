"""Exactly the packages of the locks are installed, and the locks follow from requirements*.in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from samcli.yamlhelper import yaml_parse

from tests import ROOT
from tests.support.locks import SOURCES, read_lock, read_versions

RUN, DEV = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
LAYER, ANALYSIS = (ROOT / f"layers/shared/requirements{name}.txt" for name in ("", "-analysis"))


def read_source(path: Path) -> Iterator[tuple[str, Requirement]]:
    """The requirements of a file and of those that it includes, each with the name of its file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from read_source(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith(("#", "-c ")):
            yield path.name, Requirement(line)


def name_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("source", SOURCES, ids=name_path)
def test_a_lock_is_what_its_source_wants_with_hashes(source: Path) -> None:
    """If not, run `make lock`."""
    wanted = list(read_source(source))
    locked = read_lock(source.with_suffix(".txt"))
    asked = [(file, name) for name, entry in locked.items() for file in entry.asked_by]
    assert sorted(asked) == sorted((file, canonicalize_name(wish.name)) for file, wish in wanted)
    for _, requirement in wanted:
        assert locked[canonicalize_name(requirement.name)].version in requirement.specifier, requirement
    assert [name for name, entry in locked.items() if not entry.hashes] == []


@pytest.mark.parametrize("locks", [(RUN, DEV), (LAYER, ANALYSIS)], ids=["environment", "layers"])
def test_locks_that_are_installed_together_agree(locks: tuple[Path, Path]) -> None:
    one, other = map(read_versions, locks)
    common = one.keys() & other.keys()
    assert common
    assert {name: one[name] for name in common} == {name: other[name] for name in common}


@pytest.mark.parametrize("lock", [LAYER, ANALYSIS], ids=name_path)
def test_functions_import_the_same_versions_here_and_on_aws(lock: Path) -> None:
    """Only direct requirements: SAM CLI needs older versions of some indirect ones."""
    here = read_versions(RUN)
    named = {name: entry.version for name, entry in read_lock(lock).items() if entry.asked_by}
    assert named == {name: here.get(name) for name in named}


def test_functions_have_no_packages_of_their_own() -> None:
    """SAM would install them without hashes."""
    for path in ROOT.glob("functions/*/requirements.txt"):
        assert list(read_source(path)) == [], path


def test_images_are_named_by_their_patch_version() -> None:
    services = yaml_parse((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"].values()
    images = [service["image"] for service in services if "build" not in service]
    for path in (ROOT / "Dockerfile", *ROOT.glob("tests/docker/*/Dockerfile")):
        images += re.findall(r"^FROM (\S+)", path.read_text(encoding="utf-8"), re.M)
    # PostgreSQL counts its patches second.
    patch = re.compile(r":(RELEASE\.\S+|\d+\.\d+\.\d+)|postgres:\d+\.\d+")
    assert [image for image in images if not patch.search(image)] == []
