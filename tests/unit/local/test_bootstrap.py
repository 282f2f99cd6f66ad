"""Platforms where `make run` cannot work: each gets a message."""

import ast
import inspect

import pytest

from local import bootstrap


def test_an_old_python_can_read_it() -> None:
    ast.parse(inspect.getsource(bootstrap), feature_version=(3, 6))


def test_what_is_served_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.check_platform()
    bootstrap.check_python()
    for version in ((3, 10, 13), (3, 15, 0)):
        monkeypatch.setattr("sys.version_info", version)
        with pytest.raises(SystemExit, match=r"Python 3\.11 to 3\.14 is required"):
            bootstrap.check_python()
    for system, machine in (("Darwin", "x86_64"), ("Windows", "AMD64")):
        monkeypatch.setattr("platform.system", lambda name=system: name)
        monkeypatch.setattr("platform.machine", lambda name=machine: name)
        with pytest.raises(SystemExit, match=f"not on {system} {machine}. Run it in Docker instead"):
            bootstrap.check_platform()
