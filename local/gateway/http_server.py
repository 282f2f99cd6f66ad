"""The HTTP/1.1 server under the API: a thread per connection, keep-alive, an answer to bodies too large."""

import json
import re
import socket
import time
import uuid
from collections.abc import Iterable
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from werkzeug.serving import WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

from local.servers.process import HOST

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's own limit."""
KEEP_ALIVE_DISCARD_BYTES = 65_536
"""If no more than this is left of a body, it is read and dropped, and the connection stays open."""
LINGER_BYTES = 64 * 1024 * 1024
"""Otherwise the connection is closed, after at most this much of the body has been read and dropped, …"""
LINGER_SECONDS = 3.0
"""… for at most this long: see _linger()."""
IDLE_SECONDS = 75
"""After this time without a request, a connection is closed."""
UNREADABLE = {
    400: "The first line is not that of an HTTP request.",
    414: "The first line is longer than 65,536 bytes.",
    431: "There are more than 100 headers, or one is longer than 65,536 bytes.",
    505: "HTTP/1.1 is the latest version here.",
}
"""What http.server refuses by itself, with its status."""


class ApiServer(ThreadingMixIn, TCPServer):
    """Binds the port when it is made (OSError when it is taken). Set `app` before serve_forever()."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # What WSGIRequestHandler wants to know:
    multithread, multiprocess, ssl_context, passthrough_errors = True, False, None, False

    def __init__(self, port: int, host: str = HOST) -> None:
        super().__init__((host, port), RequestHandler)
        self.app: Any = None

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections. Errors of the app do not come here: Flask answers and logs them."""


def make_refusal(status: int, message: str) -> dict[str, Any]:
    """The error of a request that the gateway refuses by itself, as in the template's GatewayResponses."""
    return {"code": "request_refused", "message": message, "details": {"reason": HTTPStatus(status).name}}


class RequestHandler(WSGIRequestHandler):
    """Keeps connections open, and does not read a refused body to its end, as werkzeug's handler does."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def version_string(self) -> str:
        return "local"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Print nothing: the functions log their requests."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""

    def handle_expect_100(self) -> bool:
        return True  # run_wsgi() decides, once it knows the length

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that cannot be read, in the service's form; http.server's own answer is HTML."""
        self._refuse(code, UNREADABLE.get(code, HTTPStatus(code).phrase))

    def _refuse(self, status: int, message: str) -> None:
        """Respond, and close the connection: what follows could be the body or the next request."""
        error = make_refusal(status, message)
        self.request_version = self.protocol_version  # without a version, only the body would be sent
        self.close_connection = True
        headers = [("Content-Type", "application/json"), ("x-request-id", str(uuid.uuid4()))]
        self._send(f"{status} {HTTPStatus(status).phrase}", headers, json.dumps({"error": error}).encode())
        self._linger()

    def _find_framing_error(self) -> str | None:
        """What makes it uncertain where the request ends (RFC 9112, 6.3 and 5.1)."""
        unreadable = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)
        if any(isinstance(defect, unreadable) for defect in self.headers.defects):
            return "A line among the headers is not a header."
        lengths = {text.strip() for text in self.headers.get_all("Content-Length", [])}
        if len(lengths) > 1:
            return "Two Content-Length headers contradict each other."
        if not all(re.fullmatch("[0-9]{1,18}", text) for text in lengths):
            return "Content-Length is not a number of bytes."
        codings = [text.strip().lower() for text in self.headers.get_all("Transfer-Encoding", [])]
        if codings not in ([], ["chunked"]):
            return "Transfer-Encoding is not just chunked."
        return None

    def run_wsgi(self) -> None:
        if message := self._find_framing_error():
            self._refuse(400, message)
            return
        # Characters that a client did not escape: werkzeug would take their bytes for Latin-1.
        self.path = re.sub("[^\x00-\x7f]", lambda found: f"%{ord(found[0]):02X}", self.path)
        try:
            self.environ = environ = self.make_environ()
        except ValueError:
            self._refuse(400, "The address is malformed.")
            return
        chunked = "wsgi.input_terminated" in environ
        length = 0 if chunked else int(self.headers.get("Content-Length", "0"))
        if self.headers.get("Expect", "").strip().lower() == "100-continue" and length <= MAX_BODY_BYTES:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        body = LimitedStream(self.rfile, length)  # type: ignore[arg-type]
        if not chunked:
            environ["wsgi.input"] = body
        status, headers, content = self._call_app(environ)
        left = 1 if chunked else length - body.tell()
        # What is left after an error is perhaps no body, but another request that someone hid in it.
        if chunked or left > KEEP_ALIVE_DISCARD_BYTES or (left and status[0] in "45"):
            self.close_connection = True
        self._send(status, headers, content)
        if self.close_connection:
            if left:
                self._linger()
        elif left:
            self.rfile.read(left)

    def _call_app(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]

        chunks: Iterable[bytes] = self.server.app(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return started[0], started[1], content

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        # The functions respond to HEAD without the body that GET would have, whose length is not known here.
        is_head = self.command == "HEAD"
        for name, value in headers:
            if not (is_head and name.lower() == "content-length"):
                self.send_header(name, value)
        has_length = any(name.lower() == "content-length" for name, _ in headers)
        if not has_length and code not in ("204", "304") and not is_head:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not is_head:
            self.wfile.write(content)
        self.wfile.flush()

    def _linger(self) -> None:
        """Read and drop what still arrives: closing at once would reset the connection, response included."""
        self.connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(0.5)
        taken = 0
        while taken < LINGER_BYTES and time.monotonic() < deadline:
            try:
                data = self.connection.recv(262_144)
            except OSError:
                return
            if not data:
                return
            taken += len(data)
