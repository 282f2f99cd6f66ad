"""Which URLs and addresses webhooks may have."""

import socket
import threading
from typing import Any

import pytest
from imageapi.webhook_sender import addresses
from imageapi.webhook_sender.addresses import AddressError, Target, find_addresses, is_public, parse_url

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"]
PUBLIC_IPV6 = ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450:4001:80b::200e", "2600:1f18::1"]
PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.9.10"),
    *("169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.9"),
    *("192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.7"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
]
PRIVATE_IPV6 = [
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1"),
    *("100::1", "5f00::1", "4000::1", "2606:2800::1%eth0"),
]


def answer_lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Resolve every name to these addresses, at each lookup to the next list; returns the names, as asked."""
    left, asked = list(answers), []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_public_addresses_are_taken_and_others_refused() -> None:
    assert [address for address in PUBLIC + PUBLIC_IPV6 if not is_public(address)] == []
    assert [address for address in PRIVATE + PRIVATE_IPV6 if is_public(address)] == []


def refusal(host: str, *, allow_private: bool = False) -> str:
    with pytest.raises(AddressError) as refused:
        find_addresses(host, 5, allow_private=allow_private)
    return refused.value.code


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1"),
        *("017700000001", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0", "0.0.0.0", "169.254.169.254"),
        *("2852039166", "0xa9fea9fe", "fd00:ec2::254", "10.1", "192.168.257"),
    ],
)
def test_however_a_private_address_is_written(host: str) -> None:
    """The lookup is the system's own: it reads a host as a connection would."""
    assert refusal(host) == "address_private"


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_lookups(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    assert refusal("a.example") == "address_private"
    assert find_addresses("a.example", 5, allow_private=True) == ["8.8.8.8", "10.0.0.1"]


def test_a_host_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("a..example", "." * 300, "a" * 64 + ".example"):
        assert refusal(host) == "address_unknown"

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    for allow_private in (False, True):
        assert refusal("unknown.example", allow_private=allow_private) == "address_unknown"


def test_a_lookup_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: threading.Event().wait(30) or [])
    with pytest.raises(TimeoutError):
        find_addresses("slow.example", 0.05, allow_private=False)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", Target("https", "a.example", 443, "/")),
        ("https://a.example/b?c=d", Target("https", "a.example", 443, "/b?c=d")),
        ("https://a.example?c=d", Target("https", "a.example", 443, "/?c=d")),
        ("HTTPS://A.example:8443/%2f", Target("https", "a.example", 8443, "/%2f")),
        ("https://[2606:2800::1]:1/", Target("https", "2606:2800::1", 1, "/")),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert parse_url(url, allow_private=False) == target


def test_http_needs_the_permission() -> None:
    assert parse_url("http://a.example", allow_private=True) == Target("http", "a.example", 80, "/")
    with pytest.raises(ValueError, match=r"must begin with https://$"):
        parse_url("http://a.example", allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.example", "//a.example/", "ftp://a.example/", "file:///etc/passwd", "https://"),
        *("https:///path", "https://user@a.example/", "https://user:pass@a.example/", "https://@a.example/"),
        *("https://a.example#b", "https://a.example/#", "https://a.example/a b", "https://a.example/\t"),
        *("https://a.example/\r\nHost: b", "https://a.exa\nmple/", "https://a.example/\0"),
        *("https://bücher.example/", "https://a.example:0/", "https://a.example:65536/"),
        *("https://a.example:x/", "https://a.example:-1/", "https://[::1", "https://[fe80::1%25eth0]/"),
        *("https://[fe80::1%eth0]/", "https://[a.example]/", "https://a.example\\@b.example/"),
        *("https://a_b!.example/", "https://%31%32%37.0.0.1/"),
        "https://a.example/" + "a" * addresses.MAX_URL_LENGTH,
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_what_is_no_url_of_a_webhook(url: str, allow_private: bool) -> None:
    with pytest.raises(ValueError, match=r"^(must|is) "):
        parse_url(url, allow_private=allow_private)
