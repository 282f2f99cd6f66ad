"""A TCP proxy in front of a store that can refuse, stall, cut, mute, reset or slow down connections."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

CHUNK_BYTES = 16_384
SLOW_SECONDS = 0.1
Mode = Literal["refuse", "stall", "cut", "mute", "reset", "slow"]


@dataclass(frozen=True)
class NetworkFault:
    """A fault in the traffic.

    Attributes:
        mode: ``refuse`` closes every connection; ``stall`` silently passes nothing more; ``cut`` closes in
            the middle of a request; ``mute`` passes the request, but none of the response; ``reset`` closes
            in the middle of a response, unnoticed by the server; ``slow`` delays every chunk.
        after: bytes that still pass before a stall, cut or reset; for mute, bytes of the request.
        once: whether it affects only one connection; later ones work.
    """

    mode: Mode
    after: int = 0
    once: bool = False


class Proxy:
    """Listens on its own port until closed.

    Attributes:
        happened: set when the fault has affected a connection.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._fault: NetworkFault | None = None
        self._left = 0
        self._healed = threading.Event()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.happened = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def break_with(self, fault: NetworkFault) -> None:
        """Apply a fault from now on."""
        with self._lock:
            self._fault, self._left = fault, fault.after
            self._healed.clear()
            self.happened.clear()
            if fault.mode == "refuse":
                for client, _ in self._pairs:
                    _hang_up(client)

    def heal(self) -> None:
        """Pass everything again; stalled connections are closed."""
        with self._lock:
            self._fault = None
        self._healed.set()

    def is_idle(self) -> bool:
        """Whether no connections through the proxy are open."""
        with self._lock:
            return not self._pairs

    def close(self) -> None:
        self._healed.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        if self._take("refuse"):
            _hang_up(client)
            return
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            _hang_up(client)
            return
        server.settimeout(None)
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        requests = threading.Thread(target=self._pass_requests, args=pair, daemon=True)
        requests.start()
        self._pass_answers(client, server)
        _hang_up(client)
        requests.join()
        server.close()
        with self._lock:
            self._pairs.discard(pair)

    def _take(self, mode: Mode) -> bool:
        """Whether this fault is active; uses up a fault with ``once``."""
        with self._lock:
            if self._fault is None or self._fault.mode != mode:
                return False
            if self._fault.once:
                self._fault = None
        self.happened.set()
        return True

    def _allow(self, mode: Mode, size: int) -> int:
        """The number of these bytes that may pass before the fault."""
        with self._lock:
            if self._fault is None or self._fault.mode != mode:
                return size
            passed = min(size, self._left)
            self._left -= passed
            return passed if self._left == 0 else size

    def _is_due(self, mode: Mode) -> bool:
        with self._lock:
            due = self._fault is not None and self._fault.mode == mode and self._left == 0
        return due and self._take(mode)

    def _delay(self) -> None:
        with self._lock:
            slow = self._fault is not None and self._fault.mode == "slow"
        if slow:
            self.happened.set()
            time.sleep(SLOW_SECONDS)

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                self._delay()
                mode: Mode
                for mode in ("stall", "cut"):
                    data = data[: self._allow(mode, len(data))]
                self._allow("mute", len(data))
                server.sendall(data)
                if self._is_due("cut"):
                    break
                if self._is_due("stall"):
                    self._healed.wait()
                    break
        _hang_up(client)
        with suppress(OSError):
            # The server may finish what it has started.
            server.shutdown(socket.SHUT_WR)

    def _pass_answers(self, client: socket.socket, server: socket.socket) -> None:
        alive = True
        with suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                if alive and self._is_due("mute"):
                    alive = False
                if not alive:
                    continue
                self._delay()
                data = data[: self._allow("reset", len(data))]
                with suppress(OSError):
                    client.sendall(data)
                if self._is_due("reset"):
                    _hang_up(client)
                    alive = False


@contextmanager
def broken_proxy(target: tuple[str, int], fault: NetworkFault) -> Iterator[Proxy]:
    """A proxy with a fault, closed at the end."""
    proxy = Proxy(target)
    try:
        proxy.break_with(fault)
        yield proxy
    finally:
        proxy.close()


def _hang_up(client: socket.socket) -> None:
    """Close at once: the peer gets a reset."""
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.shutdown(socket.SHUT_RDWR)
    client.close()
