"""Resolves PostgreSQL's address, with a time limit."""

import socket
import threading
from queue import Empty, Queue

import psycopg2


def resolve(host: str, seconds: float) -> dict[str, str]:
    """libpq's arguments for a host, with its addresses: libpq's own lookup has no time limit.

    Raises:
        psycopg2.OperationalError: the host is unknown, or the lookup takes longer than ``seconds``.
    """
    if host.startswith("/"):  # the folder of a socket
        return {"host": host}
    found: Queue[list[str] | OSError] = Queue()

    def look_up() -> None:
        try:
            found.put(
                [str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
            )
        except OSError as error:
            found.put(error)

    # Abandoned if it takes too long: nothing can cancel it.
    threading.Thread(target=look_up, daemon=True).start()
    try:
        addresses = found.get(timeout=max(0.001, seconds))
    except Empty:
        raise psycopg2.OperationalError(f"no address of {host} within the time limit") from None
    if isinstance(addresses, OSError):
        raise psycopg2.OperationalError(f"no address of {host}: {addresses}") from addresses
    # The name stays: certificates are checked against it.
    return {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}
