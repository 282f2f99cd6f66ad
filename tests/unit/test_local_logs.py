"""How the functions' log lines look on the terminal."""

import json

import pytest

from local.logs import readable


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
