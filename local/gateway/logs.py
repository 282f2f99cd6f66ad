"""The log of the functions and the runner: readable on the terminal, complete in a file."""

import contextlib
import copy
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

# Fields of a JSON log line that are equal on every line, or that the readable line formats itself.
SHOWN_ELSEWHERE = {"level", "message", "timestamp", "service", "location", "exception", "exception_name"}
# Control characters, including those for text direction, which a terminal executes.
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
JSON = json.JSONEncoder(ensure_ascii=False)  # json.dumps() would create one per value
MAX_BYTES = 10_000_000
"""When a run starts, it truncates a longer file."""
COLORS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31m"}


def readable(source: str, line: str) -> tuple[str, str]:
    """The level of a line, and the text to show on a terminal.

    JSON log lines are parsed, others kept. The text is one line plus the indented lines of a traceback:
    requests control parts of the log and must not be able to forge a line.
    """
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:
        record = None
    if not isinstance(record, dict) or "message" not in record:
        return "", escape(f"{source}: {line}")
    level = str(record.get("level", ""))
    text = f"{level} {source}: {_as_text(record['message'])}".lstrip()
    extra = [f"{key}={_as_text(value)}" for key, value in record.items() if key not in SHOWN_ELSEWHERE]
    if extra:
        text = f"{text}  {' '.join(extra)}"
    traceback = _as_text(record.get("exception") or "").split("\n")
    return level, "\n    ".join([escape(text), *(escape(part) for part in traceback if part)])


def escape(text: str) -> str:
    """The text as one line, with escaped control characters such as \\n or \\x1b."""
    return UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else JSON.encode(value)


class LogSink:
    """Writes readable lines to standard error, and the original lines to `path`. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        too_long = path is not None and path.exists() and path.stat().st_size > MAX_BYTES
        self._file = path.open("w" if too_long else "a", buffering=1) if path else None
        self._lock = threading.Lock()
        self._colored = sys.stderr.isatty()
        self._shown = True

    def unseen(self) -> "LogSink":
        """A sink that writes only to the same file."""
        twin = copy.copy(self)
        twin._shown = False
        return twin

    def follow(self, source: str, stream: IO[bytes]) -> None:
        """Show each line of a process's output until it ends."""
        threading.Thread(target=self._follow, args=(source, stream), daemon=True).start()

    def note(self, source: str, text: str) -> None:
        """Log a line from the runner about `source`. `text` may contain a handler's error."""
        line = escape(f"{source}: {text}")
        self._write("", line, line)

    def _follow(self, source: str, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self._write(*readable(source, line), line)

    def _write(self, level: str, shown: str, whole: str) -> None:
        color = COLORS.get(level) if self._colored else None
        line = f"{time.strftime('%H:%M:%S')} {shown}"
        with self._lock:
            if self._shown:
                with contextlib.suppress(OSError):  # the reader is gone; the functions must continue
                    print(f"{color}{line}\033[0m" if color else line, file=sys.stderr, flush=True)
            if self._file:
                with contextlib.suppress(OSError):  # the disk is full; requests and later lines must continue
                    self._file.write(f"{whole}\n")
