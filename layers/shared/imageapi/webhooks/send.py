"""Send deliveries. No database, no bucket.

A delivery goes to an address that was checked: a name that gets another address meanwhile leads nowhere else.
Its time limit holds for all of it, whatever the server does. Of the response, status and headers are read.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.telemetry.logs import get_logger
from imageapi.webhooks.addresses import AddressError, Target, find_addresses, parse_url
from imageapi.webhooks.sign import sign

DELIVERY_SECONDS = 10.0
"""Time limit of one delivery: looking up the name, connecting, TLS, and the response's headers."""
TAKE_SECONDS = 25.0
"""Time limit of all deliveries of one take; none begins later than DELIVERY_SECONDS before."""


def send_all(deliveries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send what ``queue.take()`` returned: to all webhooks at once, to each in turn until a message fails.

    Returns:
        What ``queue.settle()`` takes. Messages that there was no time for have no result.
    """
    if not deliveries:
        return []
    last_start = time.monotonic() + TAKE_SECONDS - DELIVERY_SECONDS
    with ThreadPoolExecutor(len(deliveries)) as executor:
        return list(executor.map(lambda delivery: _send_messages(delivery, last_start), deliveries))


def _send_messages(delivery: dict[str, Any], last_start: float) -> dict[str, Any]:
    results = []
    for message in delivery["messages"]:
        if time.monotonic() > last_start:
            break
        results.append(_send(delivery["url"], delivery["secret"], message))
        if results[-1]["error"]:
            facts = {name: results[-1][name] for name in ("id", "status", "error")}
            get_logger().warning(
                "webhook not delivered", extra={"webhook_id": delivery["webhook_id"], "webhook_result": facts}
            )
            break
    return {"webhook_id": delivery["webhook_id"], "lease_token": delivery["lease_token"], "results": results}


def _send(url: str, secret: str, message: dict[str, Any]) -> dict[str, Any]:
    """The result of one message, as ``progress.Result``. The errors:

    - ``status_not_2xx``: the server refused, or redirects;
    - ``timeout``: no response within DELIVERY_SECONDS;
    - ``address_private``, ``address_unknown``: no request was sent;
    - ``connection_failed``, ``tls_failed``, ``response_invalid``.
    """
    moment, start = datetime.now(UTC), time.monotonic()
    status, error = None, None
    try:
        status = _post(url, _headers(secret, message, moment), message["body"].encode())
        error = None if 200 <= status < 300 else "status_not_2xx"
    except AddressError as problem:
        error = problem.code
    except (OSError, http.client.HTTPException) as problem:
        error = _code_of(problem, time.monotonic() - start)
    return {
        **{name: message[name] for name in ("id", "type", "sequence")},
        "time": moment.isoformat(),
        "status": status,
        "error": error,
        "duration_ms": round((time.monotonic() - start) * 1000),
    }


def _code_of(problem: Exception, seconds: float) -> str:
    if isinstance(problem, TimeoutError) or seconds >= DELIVERY_SECONDS:
        return "timeout"
    if isinstance(problem, ssl.SSLError):
        return "tls_failed"
    if isinstance(problem, http.client.HTTPException) and not isinstance(problem, OSError):
        return "response_invalid"
    return "connection_failed"


def _headers(secret: str, message: dict[str, Any], moment: datetime) -> dict[str, str]:
    timestamp = int(moment.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "image-api-webhooks",
        "Connection": "close",
        "webhook-id": message["id"],
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message["id"], timestamp, message["body"].encode()),
    }


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the response. Redirects are not followed, proxies of the environment not used."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    allow_private = get_settings().webhook_allow_private
    try:
        target = parse_url(url, allow_private=allow_private)
    except ValueError:  # registered while WEBHOOK_ALLOW_PRIVATE was on
        raise AddressError("address_private") from None
    addresses = find_addresses(target.host, DELIVERY_SECONDS, allow_private=allow_private)
    connection = http.client.HTTPConnection(target.host, target.port)
    with (
        _connect(addresses, target.port, deadline) as plain,
        _cut_off(plain, deadline),
        _encrypt(plain, target) if target.scheme == "https" else plain as connection.sock,
    ):
        connection.request("POST", target.path, body, {**headers, "Host": _host_header(target)})
        status = connection.getresponse().status
        if time.monotonic() >= deadline:  # a connection that was cut off looks like the end of the headers
            raise TimeoutError
        return status


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first of the addresses that accepts one."""
    problem: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        # Not socket.create_connection(), which would look the address up.
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            connection.settimeout(left / (len(addresses) - tried))
            connection.connect((address, port))
            return connection
        except OSError as error:
            connection.close()
            problem = error
    raise problem


@contextlib.contextmanager
def _cut_off(connection: socket.socket, deadline: float) -> Iterator[None]:
    """Shut a connection down when its time is over: a timeout of the socket would hold for each byte anew."""
    # The file descriptor is duplicated: TLS takes over the original.
    twin = connection.dup()
    connection.settimeout(DELIVERY_SECONDS)

    def shut_down() -> None:
        with contextlib.suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        twin.close()


def _encrypt(connection: socket.socket, target: Target) -> ssl.SSLSocket:
    return _tls_context().wrap_socket(connection, server_hostname=target.host)


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = 443 if target.scheme == "https" else 80
    return host if target.port == usual else f"{host}:{target.port}"
