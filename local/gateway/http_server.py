"""The HTTP/1.1 server of the API: waitress, with errors in the service's format."""

import logging
import re
import socket
import threading
from http import HTTPStatus
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from local.gateway.error_responses import make_error, make_response, make_too_large
from local.servers.ports import HOST

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's own limit."""
READ_BYTES = 128 * 1024 * 1024
"""A larger body is read up to this size before it is rejected. Closing a connection with unread bytes would
reset it, and the client could lose the response."""
MAX_THREADS = 100
"""More than all workers, so that requests that wait for one function do not block those for another."""
OPTIONS = {
    "connection_limit": 200,  # macOS limits a process to 256 files
    "channel_timeout": 75,  # seconds without a byte
    "max_request_header_size": 65_536,
    "max_request_body_size": READ_BYTES,
    "inbuf_overflow": MAX_BODY_BYTES,  # larger bodies, to be rejected, go to a temporary file
    "recv_bytes": 1024 * 1024,
    "asyncore_use_poll": True,  # select() fails beyond 1,024 open files
    "clear_untrusted_proxy_headers": False,  # functions see every header, as on AWS
    "log_socket_errors": False,  # from clients that disconnected
    "ident": None,
}


class Parser(HTTPRequestParser):
    """Rejects requests that waitress mishandles: addresses and lengths that crash it, versions that it treats
    as HTTP/1.0, and bodies above MAX_BODY_BYTES, which it would request with 100 Continue.
    """

    completed: bool
    expect_continue: bool

    def received(self, data: bytes) -> int:
        count: int = super().received(data)
        size = max(self.content_length, len(self.body_rcv or b""))
        if size > MAX_BODY_BYTES and (self.completed or self.expect_continue):
            self.error, self.completed = RequestEntityTooLarge(""), True
        if self.completed:
            self.expect_continue = False  # else waitress would send 100 Continue and wait
        return count

    def parse_header(self, header_plus: bytes) -> None:
        line, end, headers = header_plus.partition(b"\r\n")
        # curl does not escape non-ASCII characters.
        line = re.sub(rb"[\x80-\xff]", lambda found: b"%%%02X" % ord(found[0]), line)
        try:
            super().parse_header(line + end + headers)
        except ValueError as error:  # from urlsplit() and int()
            raise ParsingError("The address or Content-Length is malformed.") from error
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("The first line does not end with HTTP/1.1 or HTTP/1.0.")
        if self.version == "1.0" and "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("HTTP/1.0 has no Transfer-Encoding.")


class Task(WSGITask):
    """Omits Content-Length in responses to HEAD: it would be 0 instead of GET's value."""

    @property
    def has_body(self) -> bool:
        return bool(self.request.command != "HEAD" and super().has_body)


class Refusal(ErrorTask):
    """The response to a request that Parser rejected. It closes the connection."""

    def execute(self) -> None:
        refused = self.request.error
        self.status = f"{refused.code} {refused.reason}"
        if refused.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            error = make_too_large("API Gateway accepts (10 MB)")
        else:
            error = make_error(refused.code, refused.body)
        self.response_headers, body = make_response(refused.code, error)
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class Channel(HTTPChannel):
    parser_class, task_class, error_task_class = Parser, Task, Refusal


class Threads(ThreadedTaskDispatcher):
    """As many threads as there were concurrent requests. More would be slower, because all take turns."""

    def add_task(self, task: Any) -> None:
        if len(self.threads) < min(MAX_THREADS, self.active_count + len(self.queue) + 1):
            self.set_thread_count(len(self.threads) + 1)
        super().add_task(task)


class ApiServer:
    """Binds the port when created; 0 selects a free one. Raises OSError if the port is in use."""

    def __init__(self, port: int, host: str = HOST) -> None:
        self._host = host
        self._socket = socket.create_server((host, port), backlog=128)
        self._connections: dict[int, Any] = {}
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._stopping = False

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def start(self, app: Any) -> None:
        """Serve this WSGI app in background threads."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns if a request waits
        self._server = create_server(
            app,
            map=self._connections,
            sockets=[self._socket],
            server_name=self._host,
            _dispatcher=Threads(),
            **OPTIONS,
        )
        self._server.channel_class = Channel
        self._thread.start()

    def stop(self) -> None:
        """Accept no more requests. Those in progress continue until close()."""
        self._stopping = True
        self._server.pull_trigger()
        self._thread.join()

    def close(self) -> None:
        if self._server:
            self._server.task_dispatcher.shutdown(timeout=1)
            wasyncore.close_all(self._connections)
        self._socket.close()

    def _run(self) -> None:
        while not self._stopping:
            wasyncore.loop(timeout=10, use_poll=True, map=self._connections, count=1)
