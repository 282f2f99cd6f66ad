"""make verify: slices, progress that survives a stop, and the exit status; the function is a stand-in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import verify as module
from local.errors import LocalError
from local.verify import KINDS, verify

Events = list[dict[str, Any]]


def make_slice(after: str = "", **lists: list[str]) -> dict[str, Any]:
    """What the function returns for 10 of 20 images."""
    return {"images": 20, "originals": 10, "variants": 5, "after": after} | {
        kind: lists.get(kind, []) for kind in KINDS
    }


def answer_with(*answers: dict[str, Any] | Exception) -> tuple[Callable[[str], str], Events]:
    """A function that gives these answers, and the events that it got."""
    left, events = list(answers), Events()

    def invoke(event: str) -> str:
        events.append(json.loads(event)["verify"])
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return json.dumps(answer)

    return invoke, events


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    return tmp_path / "data" / "verify.json"


def test_all_slices_and_all_is_well(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invoke, events = answer_with(make_slice("originals/7"), make_slice())

    assert verify(invoke, file, restore=False) == 0

    assert events == [{"restore": False, "after": ""}, {"restore": False, "after": "originals/7"}]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("10 of 20 originals, 5 variants: 0 restored, 0 missing")
    assert lines[1].startswith("20 of 20 originals, 10 variants")
    assert lines[-1] == "All is well: every row has its object."
    assert not file.exists()


@pytest.mark.parametrize("kind", ["missing", "different", "lost"])
def test_what_is_wrong_is_listed_and_told_by_the_exit_status(
    kind: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke, _ = answer_with(make_slice("originals/7", **{kind: ["originals/3.jpg"]}), make_slice())

    assert verify(invoke, file, restore=False) == 1

    text = capsys.readouterr().out
    assert f"{KINDS[kind].ljust(14)}originals/3.jpg\n" in text
    assert "RESTORE=1" in text


def test_what_was_restored_is_well_and_a_slice_that_fails_is_tried_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [LocalError("no answer.")] * 2
    invoke, events = answer_with(*failures, make_slice(restored=["originals/3.jpg"]))

    assert verify(invoke, file, restore=True) == 0

    assert events == [{"restore": True, "after": ""}] * 3
    assert "restored      originals/3.jpg" in capsys.readouterr().out


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), LocalError("down.")], ids=["Ctrl-C", "an outage"])
def test_the_next_run_goes_on_where_one_was_stopped(
    stop: BaseException, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make_slice("originals/7", missing=["originals/3.jpg"])
    invoke, _ = answer_with(first, *[stop] * module.ATTEMPTS)  # type: ignore[arg-type]
    with pytest.raises(type(stop)):
        verify(invoke, file, restore=False)

    invoke, events = answer_with(make_slice())

    assert verify(invoke, file, restore=False) == 1
    assert events == [{"restore": False, "after": "originals/7"}]
    text = capsys.readouterr().out
    assert "Goes on with the run of" in text
    assert "20 of 20 originals, 10 variants: 0 restored, 1 missing" in text
    assert not file.exists()


def test_a_run_that_restores_begins_anew(file: Path) -> None:
    invoke, _ = answer_with(make_slice("originals/7"), *[LocalError("down.")] * module.ATTEMPTS)
    with pytest.raises(LocalError, match="goes on from here"):
        verify(invoke, file, restore=False)

    invoke, events = answer_with(make_slice())

    assert verify(invoke, file, restore=True) == 0
    assert events == [{"restore": True, "after": ""}]
