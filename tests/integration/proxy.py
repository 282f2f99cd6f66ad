"""A TCP proxy in front of a server that stops passing things on in the middle of a request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 16_384


class StallingProxy:
    """Passes on ``limit`` bytes of each connection's requests; from there on nothing (``cut``), or all of the
    requests and nothing of the answers.

    Attributes:
        url: where it listens.
        stalled: set when a connection has reached the limit.
    """

    def __init__(self, target: tuple[str, int], limit: int, *, cut: bool) -> None:
        self.stalled = threading.Event()
        self._target = target
        self._limit = limit
        self._cut = cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                stalled = threading.Event()
                for work in (self._pass_requests, self._pass_answers):
                    threading.Thread(target=work, args=(client, server, stalled), daemon=True).start()

    def _pass_requests(self, client: socket.socket, server: socket.socket, stalled: threading.Event) -> None:
        passed = 0
        with suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                passed += len(data)
                if passed >= self._limit:
                    stalled.set()
                    self.stalled.set()
                if not (self._cut and stalled.is_set()):
                    server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _pass_answers(self, client: socket.socket, server: socket.socket, stalled: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                if not stalled.is_set():
                    client.sendall(data)


@contextmanager
def stalling_proxy(target: tuple[str, int], limit: int, *, cut: bool) -> Iterator[StallingProxy]:
    """A proxy that is closed at the end, with all its connections."""
    proxy = StallingProxy(target, limit, cut=cut)
    try:
        yield proxy
    finally:
        proxy.close()
