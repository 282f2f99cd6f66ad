"""Sending to servers with valid, invalid or no responses, and over TLS with each kind of certificate."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imageapi.webhook_sender import send
from imageapi.webhook_sender.send import send_all

from tests.integration.webhooks.receiver import hang, raw_server, read_request, receiver
from tests.integration.webhooks.sending import ENVIRONMENT, LIMIT, SECRET, delivery, send_one
from tests.support.settings import use_settings
from tests.unit.webhook_sender.test_addresses import answer_lookups

pytestmark = pytest.mark.usefixtures("short_limit")


def test_messages_arrive_in_order_and_signed() -> None:
    with receiver() as server:
        (outcome,) = send_all([delivery(f"{server.url}/hook?a=b", 3)])
    assert [(result["status"], result["error"]) for result in outcome["results"]] == [(204, None)] * 3
    assert [change["n"] for change in server.changes(SECRET)] == ["猫1", "猫2", "猫3"]
    path, headers, _ = server.received[0]
    assert path == "/hook?a=b"
    names = ("content-type", "host", "webhook-id")
    expected = ["application/json", server.url.removeprefix("http://"), "chg_1_0"]
    assert [headers[name] for name in names] == expected


def test_the_first_failure_ends_it() -> None:
    with receiver() as server:
        server.statuses = [204, 500]
        (outcome,) = send_all([delivery(server.url, 3)])
    assert [(result["status"], result["error"]) for result in outcome["results"]] == [
        (204, None),
        (500, "status_not_2xx"),
    ]
    assert len(server.received) == 2


def test_what_is_not_2xx_is_a_failure_and_no_redirect_is_followed() -> None:
    statuses = [204, 299, 300, 301, 302, 303, 307, 308, 400, 410, 429, 503]
    with receiver() as server:
        server.statuses = statuses.copy()
        results = [send_one(server.url) for _ in statuses]
    expected = [None, None] + ["status_not_2xx"] * (len(statuses) - 2)
    assert [result["status"] for result in results] == statuses
    assert [result["error"] for result in results] == expected
    assert [path for path, *_ in server.received] == ["/"] * len(statuses)


def drip(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 " + b"a" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def endless_line(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"a" * 65_536)


def endless_continue(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


def greet(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (hang, "timeout"),
        (drip, "timeout"),
        (endless_continue, "timeout"),
        (endless_line, "response_invalid"),
        (greet, "response_invalid"),
        (lambda _: None, "connection_failed"),
    ],
)
def test_servers_that_never_answer(talk: Callable[[socket.socket], None], error: str) -> None:
    with raw_server(talk) as url:
        result = send_one(url)
    assert (result["status"], result["error"]) == (None, error)
    if error == "timeout":
        assert result["duration_ms"] >= LIMIT * 1000


def test_ports_where_nobody_listens_or_accepts() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        waiting = [socket.socket() for _ in range(3)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        assert send_one(url)["error"] == "timeout"
        for connection in waiting:
            connection.close()
    assert send_one(url)["error"] == "connection_failed"


def test_a_webhook_that_hangs_holds_up_no_other() -> None:
    with raw_server(hang) as url, receiver() as server:
        sending = send_all([delivery(url, 5, "hangs"), delivery(server.url, 5, "other")])
        other = next(sending)
        (hanging,) = sending
    assert (other["webhook_id"], hanging["webhook_id"]) == ("other", "hangs"), "settled in this order"
    assert [result["error"] for result in hanging["results"]] == ["timeout"]
    assert len(other["results"]) == 5


def test_no_message_begins_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "TAKE_SECONDS", LIMIT + 0.3)

    def answer_late(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 204 OK\r\n\r\n")

    with raw_server(answer_late) as url:
        (outcome,) = send_all([delivery(url, 20)])
    assert [result["error"] for result in outcome["results"]] == [None, None]


def test_private_addresses_get_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as server, use_settings(monkeypatch, ENVIRONMENT):
        port = server.url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
            result = send_one(f"https://{host}:{port}/")
            assert (result["status"], result["error"]) == (None, "address_private"), host
        # The webhook was registered while WEBHOOK_ALLOW_PRIVATE was true.
        assert send_one(server.url)["error"] == "address_private"
    assert server.received == []


def test_a_name_that_leads_elsewhere_at_the_second_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was checked."""
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with use_settings(monkeypatch, ENVIRONMENT):
        asked = answer_lookups(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
        result = send_one("https://rebinding.example/")
    assert result["error"] == "connection_failed"
    assert (asked, tried) == (["rebinding.example"], [("8.8.8.8", 443)])


def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as server:
        answer_lookups(monkeypatch, ["127.0.0.9", "127.0.0.1"])
        port = server.url.rpartition(":")[2]
        assert send_one(f"http://two.example:{port}/")["error"] is None
    assert server.received[0][1]["host"] == f"two.example:{port}"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send_one(server.url)["error"] is None
    assert (len(proxy.received), len(server.received)) == (0, 1)


@pytest.mark.parametrize("talk", [hang, drip])
def test_tls_with_a_server_that_never_answers(talk: Callable[[socket.socket], None]) -> None:
    with raw_server(talk) as url:
        assert send_one(url.replace("http:", "https:"))["error"] in ("timeout", "tls_failed")


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[int]:
    """The port of a server with a self-signed certificate for ``name``: cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection = context.wrap_socket(listener.accept()[0], server_side=True)
                    read_request(connection)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    connection.close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "host", "is_known", "error"),
    [
        ("hooks.example", "hooks.example", True, None),
        ("127.0.0.1", "127.0.0.1", True, None),
        ("hooks.example", "other.example", True, "tls_failed"),
        ("hooks.example", "127.0.0.1", True, "tls_failed"),
        ("hooks.example", "hooks.example", False, "tls_failed"),
    ],
)
def test_certificates_are_for_the_name_not_the_address_and_of_known_authorities(
    name: str, host: str, is_known: bool, error: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path, name) as port:
        if is_known:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        answer_lookups(monkeypatch, ["127.0.0.1"])
        send._tls_context.cache_clear()
        result = send_one(f"https://{host}:{port}/")
        send._tls_context.cache_clear()
    assert result["error"] == error
