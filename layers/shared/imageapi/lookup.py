"""The addresses of a host name, with a time limit."""

import socket
import threading
from queue import Empty, Queue


def look_up(host: str, seconds: float) -> list[str]:
    """All addresses of a host, IPv4 and IPv6, in the order to try them.

    Raises:
        TimeoutError: the lookup takes longer than ``seconds``.
        OSError: the host is unknown.
    """
    found: Queue[list[str] | OSError] = Queue()

    def resolve() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.put([str(address[0]) for *_, address in answers])
        except UnicodeError as error:  # an empty or too long label
            found.put(OSError(str(error)))
        except OSError as error:
            found.put(error)

    # Abandoned if it takes too long: nothing can cancel it.
    threading.Thread(target=resolve, daemon=True).start()
    try:
        addresses = found.get(timeout=max(0.001, seconds))
    except Empty:
        raise TimeoutError("no answer within the time limit") from None
    if isinstance(addresses, OSError):
        raise addresses
    return addresses
