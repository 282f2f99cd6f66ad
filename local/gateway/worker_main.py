"""Inside a worker: call one function's handler with one event at a time. Standard library only.

Run as ``python -I -u worker_main.py FD SPEC``, in the function's environment. FD is a socket to the runner
that carries lines of JSON. The event and body follow the runner's; the worker's begin with a letter:

    runner → worker   {"request_id", "arn", "deadline_ms", "event_bytes", "body_bytes"}, the event, and
                      its raw body, which the handler receives in base64
    worker → runner   H  ready: the handler is imported
                      X  it cannot be imported: {"errorType", "errorMessage"}
                      R  the handler's result
                      E  the handler's error, in the form of X

Standard input is a pipe without data. When it closes, the runner is gone and the worker exits.
"""

import importlib
import io
import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

BUFFER_BYTES = 65_536


class LambdaContext:
    """The context object of a Python Lambda function."""

    def __init__(self, request_id: str, arn: str, deadline_ms: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self.tenant_id = None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def exit_with_runner() -> None:
    """Exit when standard input, a pipe from the runner, closes. The handler's standard input is empty."""
    lifeline = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def send(connection: socket.socket, kind: str, payload: str = "null") -> None:
    connection.sendall(f"{kind}{payload}\n".encode())


def describe(error: BaseException) -> str:
    """The error as Lambda reports it. Print the traceback without this file's and importlib's frames."""
    shown = traceback.TracebackException.from_exception(error)
    skipped = (__file__, importlib.__file__, "<frozen importlib")
    shown.stack = traceback.StackSummary.from_list(
        [f for f in shown.stack if not f.filename.startswith(skipped)]
    )
    print("".join(shown.format()), end="", file=sys.stderr)
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})


def load_handler(code_dir: str, layer_dirs: list[str], handler: str) -> Callable[[Any, LambdaContext], Any]:
    """Import the handler with Lambda's sys.path order: the function, its layers, installed packages."""
    sys.path[:0] = [code_dir, *layer_dirs]
    module, _, name = handler.rpartition(".")
    function: Callable[[Any, LambdaContext], Any] = getattr(
        importlib.import_module(module.replace("/", ".")), name
    )
    return function


def read_exactly(stream: io.IOBase, size: int) -> bytes:
    data: bytes = stream.read(size)
    if len(data) < size:
        os._exit(0)
    return data


def make_event(event: bytes, body: bytes) -> Any:
    made = json.loads(event)
    if body:
        import pybase64  # only uploads have binary bodies

        made["body"] = pybase64.b64encode_as_string(body)
    return made


def serve(connection: socket.socket, handler: Callable[[Any, LambdaContext], Any]) -> None:
    stream = connection.makefile("rb", BUFFER_BYTES)
    while line := stream.readline():
        head = json.loads(line)
        event = read_exactly(stream, head.pop("event_bytes"))
        body = read_exactly(stream, head.pop("body_bytes"))
        try:
            answer = json.dumps(handler(make_event(event, body), LambdaContext(**head)))
        except Exception as error:
            send(connection, "E", describe(error))
        else:
            send(connection, "R", answer)
    os._exit(0)


def main() -> None:
    exit_with_runner()
    connection = socket.socket(fileno=int(sys.argv[1]))
    try:
        handler = load_handler(**json.loads(sys.argv[2]))
    except Exception as error:
        send(connection, "X", describe(error))
        sys.exit(1)
    send(connection, "H")
    serve(connection, handler)


if __name__ == "__main__":
    main()
