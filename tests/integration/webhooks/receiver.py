"""Servers that receive webhooks."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.support.http_server import Handler, serve


@dataclass
class Receiver:
    """Keeps requests as ``(path, headers, body)``. Responds with the next of ``statuses``, then with 204."""

    url: str = ""
    received: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def changes(self, secret: str) -> list[Any]:
        """Verify the signatures; returns the bodies."""
        return [Webhook(secret).verify(body, headers) for _, headers, body in self.received]

    def types(self, secret: str) -> list[str]:
        return [change["type"] for change in self.changes(secret)]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """An HTTP server on loopback."""
    found = Receiver()

    class Respond(Handler):
        def respond(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.received.append((self.path, headers, self.read_body().decode()))
            status = found.statuses.pop(0) if found.statuses else 204
            self.answer(status, location="/elsewhere", retry_after="1800")

    with serve(Respond) as url:
        found.url = url
        yield found


def read_request(connection: socket.socket) -> None:
    """Read the request, because unread bytes would end the connection with an error."""
    connection.settimeout(0.3)
    data = b""
    with suppress(TimeoutError):
        while not data.endswith(b"}") and (more := connection.recv(65_536)):
            data += more
    connection.settimeout(None)


def hang(connection: socket.socket) -> None:
    """Send nothing until the other side gives up."""
    connection.recv(1)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request, then calls ``talk`` with the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            read_request(connection)
            talk(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
