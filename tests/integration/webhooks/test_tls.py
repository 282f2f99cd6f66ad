"""Deliveries over TLS: whose certificates are taken."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imageapi.webhook_sender import send

from tests.integration.webhooks.receiver import read_request
from tests.integration.webhooks.sending import send_one
from tests.unit.webhook_sender.test_addresses import answer_lookups

pytestmark = pytest.mark.usefixtures("short_limit")


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[int]:
    """The port of a server with a certificate for ``name``, which is its own authority: cert.pem."""
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
