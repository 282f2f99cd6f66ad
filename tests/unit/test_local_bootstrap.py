"""What decides whether .venv is up to date."""

from pathlib import Path

import pytest

from local import bootstrap


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "requirements.txt").write_text("b==1\n")
    (tmp_path / "requirements.txt").write_text("-r layer/requirements.txt\na==1\n")
    path = tmp_path / "dev.txt"
    path.write_text("# more\n-r requirements.txt\n-r layer/requirements.txt\nc==1\n")
    return path


def test_included_files_are_found_once(requirements: Path) -> None:
    names = [
        Path(path).relative_to(requirements.parent) for path in bootstrap.all_requirements(str(requirements))
    ]
    assert [str(name) for name in names] == ["dev.txt", "requirements.txt", "layer/requirements.txt"]


def test_change_in_an_included_file_changes_the_fingerprint(requirements: Path) -> None:
    before = bootstrap.make_fingerprint(str(requirements))
    assert bootstrap.make_fingerprint(str(requirements)) == before
    (requirements.parent / "layer" / "requirements.txt").write_text("b==2\n")
    assert bootstrap.make_fingerprint(str(requirements)) != before


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
