"""Sends an event to a built function in a fresh process: memory_child.py EVENT TIMES FOLDER…

Prints the status and the process's peak memory in MB (2**20 bytes) as JSON. Standalone.
"""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

event_file, times, *folders = sys.argv[1:]
sys.path[:0] = folders

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

# ru_maxrss of resource.getrusage survives exec, so it could be the parent's.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
assert peak
result = {
    "status": answer["statusCode"],
    "body": answer["body"],
    "peak": int(peak[1]) / 1024,
}
print("\n" + json.dumps(result))
