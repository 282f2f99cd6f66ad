"""Formatting of the functions' log lines on the terminal."""

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.gateway.logs import LogSink, readable

FORGED = "\n12:00:00 ERROR Delete: all images are gone\t\x0b\x0c\x85\u2028"


def test_json_line_shows_what_differs_from_line_to_line() -> None:
    same = {"timestamp": "2026-01-01 00:00:00", "location": "f:1", "service": "image-api"}
    failure = {"exception_name": "ValueError", "exception": "Traceback\n  line"}
    record = {"level": "ERROR", "message": "no luck", **same, **failure, "path": "/api/upload", "count": 3}
    expected = "ERROR Upload: no luck  path=/api/upload count=3\n    Traceback\n      line"
    assert readable("Upload", json.dumps(record)) == ("ERROR", expected)


@pytest.mark.parametrize("line", ["plain text", "", "{not json", "[1, 2]", '{"no": "message"}'])
def test_anything_else_is_kept(line: str) -> None:
    assert readable("Upload", line) == ("", f"Upload: {line}")


@pytest.mark.parametrize("name", ["message", "path", "level", "exception"])
def test_no_value_can_begin_a_line_of_the_log(name: str) -> None:
    record = {"level": "INFO", "message": "request"} | {name: "x" + FORGED}
    _, text = readable("Deliver", json.dumps(record))
    others = text.splitlines()[1:]
    assert [line for line in others if not line.startswith("    ")] == []
    assert len(others) == (2 if name == "exception" else 0)
    assert "\t" not in text
    assert "gone\\t\\x0b\\x0c\\x85\\u2028" in text


def follow(sink: LogSink, line: str) -> None:
    """Make the sink show a process's output."""
    read, write = os.pipe()
    os.write(write, line.encode() + b"\n")
    os.close(write)
    sink._follow("List", os.fdopen(read, "rb"))


def test_terminal_gets_no_controls_and_the_file_every_line_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "a\x1b]0;title\x07b\rc\x9b31m\u202ed\te\u3000猫\u200d👩"
    sink = LogSink(tmp_path / "api.log")
    follow(sink, line)
    sink.note("Upload", f"HandlerError: raised ValueError: x{FORGED}")

    shown, noted = (text.partition(" ")[2] for text in capsys.readouterr().err.splitlines())
    assert shown == "List: a\\x1b]0;title\\x07b\\rc\\x9b31m\\u202ed\\te\u3000猫\u200d👩"
    assert noted.startswith("Upload: HandlerError: raised ValueError: x\\n12:00:00 ERROR")
    assert (tmp_path / "api.log").read_bytes().decode() == f"{line}\n{noted}\n"


class Disk(io.RawIOBase):
    """A file on a disk that can be full."""

    full = False
    content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += bytes(data)
        return len(data)


def test_a_full_disk_ends_no_request_and_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = Disk()
    sink = LogSink(tmp_path / "api.log")
    sink._file = io.TextIOWrapper(io.BufferedWriter(disk), line_buffering=True)
    disk.full = True
    sink.note("Play", "FunctionTimeoutError: did not finish in 1 s")
    follow(sink, "one\n" * 5000 + "two")
    disk.full = False
    sink.note("Play", "three")

    assert disk.content.endswith(b"Play: three\n")
    assert capsys.readouterr().err.endswith("Play: three\n")
