"""What the functions and the runner say: readable on the terminal, whole in a file."""

import contextlib
import copy
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from local.servers.process import LOG_LIMIT_BYTES

# Fields of a JSON log line that say the same on every line, or that the readable line shows in its own way.
SHOWN_ELSEWHERE = {
    "level",
    "message",
    "timestamp",
    "service",
    "location",
    "cold_start",
    "function_arn",
    "function_name",
    "function_memory_size",
    "function_request_id",
    "exception",
    "exception_name",
    "stack_trace",
    "xray_trace_id",
    "sampling_rate",
}
# What a terminal obeys instead of showing it: controls, those of direction too; but not tabs and line ends.
UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLORS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31m"}


def readable(source: str, line: str) -> tuple[str, str]:
    """The level of a line and the text to show: a JSON log line is taken apart, anything else is kept."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:
        record = None
    if not isinstance(record, dict) or "message" not in record:
        return "", f"{source}: {line}"
    level = str(record.get("level", ""))
    text = f"{level} {source}: {_as_text(record['message'])}".lstrip()
    extra = [f"{key}={_as_text(value)}" for key, value in record.items() if key not in SHOWN_ELSEWHERE]
    if extra:
        text = f"{text}  {' '.join(extra)}"
    if record.get("exception"):
        text = f"{text}\n{record['exception']}"
    return level, text


def harmless(text: str) -> str:
    """The text with names in place of control characters: requests choose some of what is logged."""
    return UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class LogSink:
    """Writes to standard error, and every line as it was to `path`. Use from any thread."""

    def __init__(self, path: Path | None) -> None:
        too_long = path is not None and path.exists() and path.stat().st_size > LOG_LIMIT_BYTES
        self._file = path.open("w" if too_long else "a", buffering=1) if path else None
        self._lock = threading.Lock()
        self._colored = sys.stderr.isatty()
        self._shown = True

    def unseen(self) -> "LogSink":
        """The same file, and nothing on the terminal."""
        twin = copy.copy(self)
        twin._shown = False
        return twin

    def follow(self, source: str, stream: IO[bytes]) -> None:
        """Show each line of a process's output until it ends."""
        threading.Thread(target=self._follow, args=(source, stream), daemon=True).start()

    def note(self, source: str, text: str) -> None:
        """A line of the runner's own about `source`."""
        self._write("", f"{source}: {text}", f"{source}: {text}")

    def _follow(self, source: str, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self._write(*readable(source, line), line)

    def _write(self, level: str, shown: str, whole: str) -> None:
        color = COLORS.get(level) if self._colored else None
        line = f"{time.strftime('%H:%M:%S')} {harmless(shown)}"
        with self._lock:
            if self._shown:
                with contextlib.suppress(OSError):  # whoever read it is gone; the functions must go on
                    print(f"{color}{line}\033[0m" if color else line, file=sys.stderr, flush=True)
            if self._file:
                print(whole, file=self._file)
