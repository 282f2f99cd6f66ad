"""Look up host names, with a time limit."""

import socket
import threading


def look_up(host: str, seconds: float) -> list[str]:
    """All IPv4 and IPv6 addresses of a host, in the order to try them.

    Raises:
        TimeoutError: the lookup takes longer than ``seconds``.
        OSError: the host is unknown.
    """
    found: list[list[str] | OSError] = []

    def resolve() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.append([str(address[0]) for *_, address in answers])
        except UnicodeError as error:  # an empty or too long label
            found.append(OSError(str(error)))
        except OSError as error:
            found.append(error)

    # Nothing can cancel a lookup: abandon it if it takes too long.
    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(max(0.001, seconds))
    if not found:
        raise TimeoutError("no response within the time limit")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
