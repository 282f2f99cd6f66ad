"""Which Host headers the local gateway accepts, and its response to others."""

import pytest

from local.gateway.host_header import is_loopback, make_host_check

OURS = ["localhost", "LocalHost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
PUBLIC = ["img.example.com", "Img.example.com:8443"]
NAMES_AND_ADDRESSES = ["192.168.1.5:8000", "[fe80::1]:8000", "image_api:8000", "nas"]
FOREIGN = [
    *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4.5"),
    *("localhost@evil.example", "localhost,evil.example", "[::1", "[::1].evil.example", "", ":8000", "."),
]


@pytest.mark.parametrize(
    ("bound_to", "headers", "expected"),
    [
        ("127.0.0.1", [*OURS, *PUBLIC], True),
        ("0.0.0.0", [*OURS, *PUBLIC], True),
        ("127.0.0.1", FOREIGN, False),
        ("0.0.0.0", FOREIGN, False),
        # If other machines can reach it, it also accepts addresses and names without a dot.
        ("0.0.0.0", NAMES_AND_ADDRESSES, True),
        ("127.0.0.1", NAMES_AND_ADDRESSES, False),
    ],
)
def test_which_names_are_ours(bound_to: str, headers: list[str], expected: bool) -> None:
    is_ours = make_host_check(bound_to, "https://Img.Example.com:8443/v1")
    assert [header for header in headers if is_ours(header) is not expected] == []
    assert not make_host_check(bound_to, "")("img.example.com")


def test_loopback() -> None:
    hosts = ("127.0.0.1", "localhost", "::1", "127.1.2.3", "0.0.0.0", "::", "10.0.0.1", "nas", "")
    assert [host for host in hosts if is_loopback(host)] == ["127.0.0.1", "localhost", "::1", "127.1.2.3"]
