"""Platforms where `make run` cannot work: each gets a message."""

import ast
import inspect

import pytest

from local import bootstrap


def test_an_old_python_can_read_it() -> None:
    ast.parse(inspect.getsource(bootstrap), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_python_that_is_too_old_or_too_new_is_refused(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.version_info", version)
    with pytest.raises(SystemExit, match=r"Python 3\.11 to 3\.14 is needed"):
        bootstrap.check_python()


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "x86_64"), ("Windows", "AMD64")])
def test_machine_without_wheels_is_told_of_docker(
    system: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(SystemExit, match=f"not on {system} {machine}. In Docker it runs here too"):
        bootstrap.check_platform()


def test_this_machine_is_served() -> None:
    bootstrap.check_platform()
    bootstrap.check_python()
