"""The output of `sam build` is small, compiled, and contains only used files."""

import importlib.metadata
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests import ROOT
from tests.support.locks import read_versions
from tests.support.templates import MAIN, find

LIMIT_BYTES = 50_000_000
"""Lambda's limit for a zip uploaded directly."""
LAYERS = ["AnalysisLayer", "SharedLayer"]
USELESS = {"tests", "test", "bin", "examples", "node_modules", ".git", ".venv"}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", [*find(MAIN, "AWS::Lambda::Function"), *LAYERS])
def test_nothing_but_what_runs_and_that_is_small(build: Path, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "artifact.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in files(build / name):
            inside = path.relative_to(build / name)
            assert not USELESS & set(inside.parts), inside
            assert path.suffix not in (".c", ".h", ".pyx", ".pxd"), inside
            target.write(path, inside)
    assert archive.stat().st_size < LIMIT_BYTES


@pytest.mark.parametrize("name", LAYERS)
def test_each_source_of_a_layer_has_its_bytecode(build: Path, name: str) -> None:
    """Lambda cannot write bytecode, so each cold start would compile the source."""
    sources = [path for path in files(build / name / "python") if path.suffix == ".py"]
    assert len(sources) > 300
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.exists(), source
        assert compiled.read_bytes()[4] & 0b11 == 0b01, "a hash that is not checked against the source"


def test_the_layers_contain_what_is_locked(build: Path) -> None:
    locked = {
        package for path in (ROOT / "layers/shared").glob("*.txt") for package in read_versions(path).items()
    }
    installed = {
        (canonicalize_name(package.name), package.version)
        for name in LAYERS
        for package in importlib.metadata.distributions(path=[str(build / name / "python")])
    }
    assert len(installed) > 20
    assert installed == locked
    services = [path for path in (build / "SharedLayer/python/botocore/data").iterdir() if path.is_dir()]
    assert len(services) < 10, "only those that are used"


def test_what_is_in_both_layers_is_the_same(build: Path) -> None:
    """Lambda unpacks both layers into one folder."""
    one, other = ({path.relative_to(build / name) for path in files(build / name)} for name in LAYERS)
    assert one & other
    for path in one & other:
        if path.name != "RECORD":  # it also records if the package was requested
            assert len({(build / name / path).read_bytes() for name in LAYERS}) == 1, path
