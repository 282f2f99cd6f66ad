"""tests.words finds long sentences and refused words, and counts neither code nor lists as sentences."""

from pathlib import Path

import pytest

from tests import ROOT
from tests.words import LIMITS, find_faults, read_blocks

LONG = " ".join(["word"] * 26)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{LONG}.", 1),
        (f"Short. {LONG}! Short.", 1),
        (f"{LONG[5:]}.", 0),
        ("A list: " + LONG[10:] + ".", 0),
        ("`" + LONG + "` is code.", 0),
        ("The service answers.", 1),
        ("Run `answers --told`.", 0),
        ("There are no rows, and whoever asks is told.", 3),
    ],
)
def test_faults_of_a_text(text: str, count: int) -> None:
    assert len(list(find_faults(text))) == count


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("a.md", f"- {LONG[5:]}\n- {LONG[5:]}\n\n| {LONG[5:]} | {LONG[5:]} |\n|---|---|\n", 0),
        ("a.md", f"```\n{LONG}\n```\n", 0),
        ("a.md", f"{LONG[:40]}\n{LONG[40:]}\n", 1),
        ("a.yaml", f"Key: {LONG}\nDescription: {LONG}\n", 1),
        ("a.json", '{"paths": [{"description": "It answers.", "title": "answers"}]}', 1),
    ],
)
def test_faults_of_a_file(tmp_path: Path, name: str, text: str, count: int) -> None:
    (tmp_path / name).write_text(text)
    assert sum(len(list(find_faults(block))) for block in read_blocks(tmp_path / name)) == count


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_of_files(name: str) -> None:
    assert (ROOT / name).exists()
