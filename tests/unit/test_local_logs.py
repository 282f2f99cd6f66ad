"""How the functions' log lines look on the terminal."""

import json
import os
from pathlib import Path

import pytest

from local.gateway.logs import LogSink, readable


def test_json_line_shows_what_differs_from_line_to_line() -> None:
    record = {
        "level": "ERROR",
        "message": "no luck",
        "timestamp": "2026-01-01 00:00:00",
        "location": "f:1",
        "cold_start": True,
        "function_name": "X",
        "path": "/api/upload",
        "count": 3,
        "exception": "Traceback\n  line",
    }
    assert readable("Upload", json.dumps(record)) == (
        "ERROR",
        "ERROR Upload: no luck  path=/api/upload count=3\nTraceback\n  line",
    )


@pytest.mark.parametrize("line", ["plain text", "", "{not json", "[1, 2]", '{"no": "message"}'])
def test_anything_else_is_kept(line: str) -> None:
    assert readable("Upload", line) == ("", f"Upload: {line}")


def test_terminal_gets_no_controls_and_the_file_every_line_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "a\x1b]0;title\x07b\rc\x9b31m\u202ed\te\nf\u3000猫\u200d👩"
    sink = LogSink(tmp_path / "api.log")
    sink.note("Upload", line)

    shown = capsys.readouterr().err.partition(" ")[2]
    assert shown == "Upload: a\\x1b]0;title\\x07b\\rc\\x9b31m\\u202ed\te\nf\u3000猫\u200d👩\n"
    assert (tmp_path / "api.log").read_bytes().decode() == f"Upload: {line}\n"


def test_path_of_a_request_does_not_reach_the_terminal_raw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.dumps({"level": "INFO", "message": "request", "path": "/\x1b[2J\x07"})
    read, write = os.pipe()
    os.write(write, record.encode() + b"\n")
    os.close(write)
    sink = LogSink(None)
    sink._follow("List", os.fdopen(read, "rb"))

    assert capsys.readouterr().err.endswith("INFO List: request  path=/\\x1b[2J\\x07\n")
