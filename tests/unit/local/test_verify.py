"""make verify: slices, progress that survives a stop, and the exit status; the function is a stand-in."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import verify as module
from local.errors import LocalError
from local.verify import KINDS, verify

DOWN = [LocalError("down.")] * module.ATTEMPTS


def make_slice(after: str = "", **lists: list[str]) -> dict[str, Any]:
    """The function's result for 10 of 20 images."""
    return {"images": 20, "originals": 10, "variants": 5, "after": after} | {
        kind: lists.get(kind, []) for kind in KINDS
    }


class Function:
    """Returns or raises these in turn. ``asked``: the events that it received."""

    def __init__(self, *answers: dict[str, Any] | BaseException) -> None:
        self.asked: list[dict[str, Any]] = []
        self._left = list(answers)

    def __call__(self, event: str) -> str:
        self.asked.append(json.loads(event)["verify"])
        answer = self._left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return json.dumps(answer)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    return tmp_path / "data" / "verify.json"


def test_all_slices_and_all_is_well(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(make_slice("originals/7"), make_slice())

    assert verify(function, file, restore=False) == 0

    assert function.asked == [{"restore": False, "after": ""}, {"restore": False, "after": "originals/7"}]
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("10 of 20 originals, 5 variants: 0 restored, 0 missing")
    assert second.startswith("20 of 20 originals, 10 variants")
    assert last == "Every row has its file."
    assert not file.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_is_listed_and_told_by_the_exit_status(
    kind: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed slice is retried."""
    found = make_slice("originals/7", **{kind: ["originals/3.jpg"]})
    function = Function(*DOWN[1:], found, make_slice())

    assert verify(function, file, restore=False) == (kind != "restored")

    assert f"{KINDS[kind].ljust(14)}originals/3.jpg\n" in capsys.readouterr().out


@pytest.mark.parametrize("stop", [[KeyboardInterrupt()], DOWN], ids=["Ctrl-C", "an outage"])
def test_the_next_run_goes_on_where_one_was_stopped(
    stop: list[BaseException], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(type(stop[0])):
        verify(Function(make_slice("originals/7", missing=["originals/3.jpg"]), *stop), file, restore=False)

    function = Function(make_slice())

    assert verify(function, file, restore=False) == 1
    assert function.asked == [{"restore": False, "after": "originals/7"}]
    assert "20 of 20 originals, 10 variants: 0 restored, 1 missing" in capsys.readouterr().out
    assert not file.exists()


def test_a_run_that_restores_begins_anew(file: Path) -> None:
    with pytest.raises(LocalError, match="run the same command again"):
        verify(Function(make_slice("originals/7"), *DOWN), file, restore=False)

    function = Function(make_slice())

    assert verify(function, file, restore=True) == 0
    assert function.asked == [{"restore": True, "after": ""}]
