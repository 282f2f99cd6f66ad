"""A worker process: one function's handler, one event at a time."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.gateway.logs import LogSink
from local.gateway.template import FunctionSpec

WORKER_MAIN = Path(__file__).with_name("worker_main.py")
BUFFER_BYTES = 65_536
REGION = "us-east-1"
ACCOUNT = "123456789012"
INIT_SECONDS = 30.0
PAYLOAD_LIMIT_BYTES = 6_291_556


class InvokeError(Exception):
    """The handler returned no result."""


class FunctionError(InvokeError):
    """The handler could not be imported, or its process ended."""


class HandlerError(FunctionError):
    """The handler raised an error, or its result is too large. Its process is still usable."""


class FunctionTimeoutError(InvokeError):
    """The handler ran longer than the function's Timeout."""


class ThrottledError(InvokeError):
    """No worker became free in time."""


class EventTooLargeError(InvokeError):
    """Lambda rejects events of this size."""


def lambda_environment(
    spec: FunctionSpec, variables: Mapping[str, str], keys: tuple[str, str]
) -> dict[str, str]:
    """A worker's environment: the shell's PATH, HOME and TMPDIR, Lambda's and the function's variables."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return inherited | {
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": spec.handler,
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "AWS_SAM_LOCAL": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(spec.timeout),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        **variables,
    }


class Worker:
    """One process. Raises FunctionError if the handler cannot be imported.

    `keep_bytecode` should be False for edited code: Python considers cached bytecode current if the source's
    size and time (in whole seconds) are unchanged, as after two quick edits.
    """

    def __init__(
        self, spec: FunctionSpec, environ: Mapping[str, str], logs: LogSink, keep_bytecode: bool = True
    ) -> None:
        self._spec = spec
        self._arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{spec.name}"
        layout = {
            "code_dir": str(spec.code_dir),
            "layer_dirs": [str(path) for path in spec.layer_dirs],
            "handler": spec.handler,
        }
        flags = "-Iu" if keep_bytecode else "-IuB"
        self._socket, theirs = socket.socketpair()
        self._answers = self._socket.makefile("rb", BUFFER_BYTES)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, flags, str(WORKER_MAIN), str(theirs.fileno()), json.dumps(layout)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=spec.code_dir,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        assert self._process.stdout is not None
        logs.follow(spec.name, self._process.stdout)
        self._socket.settimeout(INIT_SECONDS)
        try:
            kind, error = self._receive()
            if kind != b"H":
                raise FunctionError(f"cannot import {spec.handler}: {_describe(error)}")
        except BaseException:
            self.close()
            raise
        self._socket.settimeout(spec.timeout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, event: str, body: bytes = b"") -> bytes:
        """The handler's result as JSON. After any error except HandlerError, close() the worker.

        `body` becomes the event's body, in base64.
        """
        data = event.encode()
        head = {
            "request_id": str(uuid.uuid4()),
            "arn": self._arn,
            "deadline_ms": int((time.time() + self._spec.timeout) * 1000),
            "event_bytes": len(data),
            "body_bytes": len(body),
        }
        with self._errors():
            self._socket.sendall(json.dumps(head).encode() + b"\n" + data)
            if body:
                self._socket.sendall(body)
        kind, answer = self._receive()
        if kind != b"R":
            raise HandlerError(f"raised {_describe(answer)}")
        if len(answer) > PAYLOAD_LIMIT_BYTES:
            raise HandlerError(f"answered with {len(answer)} bytes, more than Lambda's {PAYLOAD_LIMIT_BYTES}")
        return answer

    def close(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._answers.close()
        self._socket.close()

    def _receive(self) -> tuple[bytes, bytes]:
        """The letter of the message type, and the JSON."""
        with self._errors():
            line = self._answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
        return line[:1], line[1:-1]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the socket into InvokeErrors."""
        try:
            yield
        except TimeoutError as error:
            raise FunctionTimeoutError(f"did not finish in {self._socket.gettimeout():g} s") from error
        except (OSError, EOFError) as error:
            raise FunctionError(f"its process ended ({_exit_text(self._process)})") from error


def _describe(error: bytes) -> str:
    content = json.loads(error)
    return f"{content['errorType']}: {content['errorMessage']}"


def _exit_text(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(1)
    except subprocess.TimeoutExpired:
        return "its socket was closed"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
