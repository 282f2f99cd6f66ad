"""Send deliveries, without database or bucket.

A request goes to an address that was checked, even if the name has a new address since. The time limit is for
the whole delivery, and an error of a receiver affects only its own delivery.
"""

import contextlib
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.model.times import show_time
from imageapi.telemetry.logs import get_logger
from imageapi.webhook_sender.addresses import AddressError, Target, find_addresses, parse_url
from imageapi.webhook_sender.response import read_response
from imageapi.webhook_sender.sign import sign

DELIVERY_SECONDS = 10.0
"""Time limit of one delivery: DNS lookup, connection, TLS, and the response's status."""
TAKE_SECONDS = 25.0
"""Time limit of all deliveries of one take. None begins in the last DELIVERY_SECONDS."""


def send_all(deliveries: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Send the result of ``due.take()``: to all webhooks concurrently, to each until a message fails.

    Yields:
        For each webhook, when it is done, an outcome for ``due.settle()``. A message that time did not
        permit is not in its results.
    """
    last_start = time.monotonic() + TAKE_SECONDS - DELIVERY_SECONDS
    with ThreadPoolExecutor(len(deliveries) or 1) as executor:
        sendings = [executor.submit(_send_messages, delivery, last_start) for delivery in deliveries]
        for sending in as_completed(sendings):
            yield sending.result()


def _send_messages(delivery: dict[str, Any], last_start: float) -> dict[str, Any]:
    results = []
    for message in delivery["messages"]:
        if time.monotonic() > last_start:
            break
        results.append(_send(delivery, message))
        if results[-1]["error"]:
            facts = {name: results[-1][name] for name in ("id", "status", "error")}
            get_logger().warning(
                "webhook not delivered", extra={"webhook_id": delivery["webhook_id"], "webhook_result": facts}
            )
            break
    return {"webhook_id": delivery["webhook_id"], "lease_token": delivery["lease_token"], "results": results}


def _send(delivery: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """The result of one message, as ``retries.Result``. The errors:

    - ``status_not_2xx``: the server rejects or redirects the request;
    - ``timeout``: no response within DELIVERY_SECONDS;
    - ``address_private``, ``address_unknown``: no request was sent;
    - ``connection_failed``, ``tls_failed``, ``response_invalid``.
    """
    moment, start = datetime.now(UTC), time.monotonic()
    status, retry_after, error = None, None, None
    try:
        status, retry_after = _post(delivery, message, moment)
        error = None if 200 <= status < 300 else "status_not_2xx"
    except Exception as problem:
        error = _code_of(problem, time.monotonic() - start)
    return {
        **{name: message[name] for name in ("id", "type", "sequence")},
        "sent_at": show_time(moment),
        "status": status,
        "error": error,
        "retry_after": retry_after,
        "duration_ms": round((time.monotonic() - start) * 1000),
    }


def _code_of(problem: Exception, seconds: float) -> str:
    if isinstance(problem, AddressError):
        return problem.code
    if isinstance(problem, TimeoutError) or seconds >= DELIVERY_SECONDS:
        return "timeout"
    if isinstance(problem, ssl.SSLError):
        return "tls_failed"
    if isinstance(problem, OSError):
        return "connection_failed"
    if not isinstance(problem, ValueError):
        get_logger().error("delivery failed", exc_info=problem)
    return "response_invalid"


def _post(delivery: dict[str, Any], message: dict[str, Any], moment: datetime) -> tuple[int, int | None]:
    """The status and Retry-After for one message. Redirects and the environment's proxies are ignored."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    allow_private = get_settings().webhook_allow_private
    try:
        target = parse_url(delivery["url"], allow_private=allow_private)
    except ValueError:  # created when WEBHOOK_ALLOW_PRIVATE was true
        raise AddressError("address_private") from None
    addresses = find_addresses(target.host, DELIVERY_SECONDS, allow_private=allow_private)
    with (
        _connect(addresses, target.port, deadline) as plain,
        _cut_off(plain, deadline),
        _encrypt(plain, target) if target.scheme == "https" else plain as connection,
    ):
        connection.sendall(_request(target, delivery["secrets"], message, moment))
        return read_response(connection)


def _request(target: Target, secrets: Sequence[Any], message: dict[str, Any], moment: datetime) -> bytes:
    """The request, signed with each secret that has not expired."""
    body: bytes = message["body"].encode()
    timestamp = int(moment.timestamp())
    valid = [item["secret"] for item in secrets if moment.timestamp() < (item["until"] or math.inf)]
    lines = (
        f"POST {target.path} HTTP/1.1",
        f"Host: {_host_header(target)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "User-Agent: image-api-webhooks",
        "Connection: close",
        f"webhook-id: {message['id']}",
        f"webhook-timestamp: {timestamp}",
        f"webhook-signature: {sign(valid, message['id'], timestamp, body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first address that accepts one."""
    problem: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        # socket.create_connection() would look the address up again.
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
    """Shut a connection down at its time limit. A socket timeout would start over with each byte."""
    # TLS takes over the file descriptor, so use a duplicate.
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
