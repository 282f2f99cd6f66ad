"""What runs inside a worker: one function's handler, called with one event at a time. Standard library only.

Run as ``python -I -u worker_main.py FD SPEC``, in the function's environment. FD is a socket
to the runner; a frame on it is one byte of kind, four of length (big endian), and so many of JSON:

    runner → worker   I  {"request_id", "arn", "deadline_ms"}, newline, the event
    worker → runner   H  ready: the handler is imported
                      X  it cannot be imported: {"errorType", "errorMessage"}
                      R  what the handler returned
                      E  what it raised, in the form of X

Standard input is a pipe that nobody writes to: at its end the runner is gone, and so are we.
"""

import importlib
import json
import os
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

HEAD = struct.Struct(">cI")


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
    """Exit when standard input, a pipe from the runner, is closed. The handler gets an empty one."""
    lifeline = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def read_exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            os._exit(0)
        view = view[count:]
    return data


def send(connection: socket.socket, kind: bytes, payload: str = "null") -> None:
    data = payload.encode()
    connection.sendall(HEAD.pack(kind, len(data)) + data)


def describe(error: BaseException) -> str:
    """The error as Lambda reports it. Prints the traceback, without this file's and importlib's frames."""
    shown = traceback.TracebackException.from_exception(error)
    skipped = (__file__, importlib.__file__, "<frozen importlib")
    shown.stack = traceback.StackSummary.from_list(
        [f for f in shown.stack if not f.filename.startswith(skipped)]
    )
    print("".join(shown.format()), end="", file=sys.stderr)
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})


def load_handler(code_dir: str, layer_dirs: list[str], handler: str) -> Callable[[Any, LambdaContext], Any]:
    """Import it with sys.path as Lambda has it: the function, then its layers, then what is installed."""
    sys.path[:0] = [code_dir, *layer_dirs]
    module, _, name = handler.rpartition(".")
    function: Callable[[Any, LambdaContext], Any] = getattr(
        importlib.import_module(module.replace("/", ".")), name
    )
    return function


def serve(connection: socket.socket, handler: Callable[[Any, LambdaContext], Any]) -> None:
    while True:
        _, size = HEAD.unpack(read_exactly(connection, HEAD.size))
        head, _, event = read_exactly(connection, size).partition(b"\n")
        try:
            answer = json.dumps(handler(json.loads(event), LambdaContext(**json.loads(head))))
        except Exception as error:
            send(connection, b"E", describe(error))
        else:
            send(connection, b"R", answer)


def main() -> None:
    exit_with_runner()
    connection = socket.socket(fileno=int(sys.argv[1]))
    try:
        handler = load_handler(**json.loads(sys.argv[2]))
    except Exception as error:
        send(connection, b"X", describe(error))
        sys.exit(1)
    send(connection, b"H")
    serve(connection, handler)


if __name__ == "__main__":
    main()
