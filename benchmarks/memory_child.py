"""Sends an event to a built function in a fresh process: memory_child.py EVENT TIMES FOLDER…

Prints the status, and the peak memory of this process and its decoder in MB (2**20 bytes), as JSON.
Standalone.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

event_file, times, *folders = sys.argv[1:]
sys.path[:0] = folders


def find_family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    with suppress(OSError):  # it has just ended
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from find_family(int(child))


def measure() -> int:
    """The memory of this process and its descendants, in KiB. Pages that they share count once."""
    total = 0
    for pid in find_family(os.getpid()):
        with suppress(OSError):
            found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) if found else 0
    return total


def watch() -> None:
    global peak
    while True:
        peak = max(peak, measure())
        time.sleep(0.005)


peak = 0
threading.Thread(target=watch, daemon=True).start()

import app  # type: ignore[import-not-found]  # noqa: E402

# Lambda's runtime also keeps the raw event while the handler uses the parsed one.
received = Path(event_file).read_bytes()
for number in range(int(times)):
    context = SimpleNamespace(
        aws_request_id=f"request-{number}",
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:benchmark",
        function_name="benchmark",
        function_version="$LATEST",
        memory_limit_in_mb=1024,
        get_remaining_time_in_millis=lambda: 29_000,
    )
    answer = app.lambda_handler(json.loads(received), context)

result = {"status": answer["statusCode"], "body": answer["body"], "peak": peak / 1024}
print("\n" + json.dumps(result))
