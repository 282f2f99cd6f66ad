"""Which Host headers the local gateway accepts, and its response to others."""

import pytest

from local.gateway.host_header import is_loopback, make_host_check


@pytest.mark.parametrize("header", ["localhost", "LocalHost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
@pytest.mark.parametrize("bound_to", ["127.0.0.1", "0.0.0.0"])
def test_this_machine_is_known_wherever_the_service_listens(bound_to: str, header: str) -> None:
    assert make_host_check(bound_to, "")(header)


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"),
        *(
            "1.2.3.4.5",
            "localhost@evil.example",
            "localhost,evil.example",
            "[::1",
            "[::1].evil.example",
            "",
            ":8000",
            ".",
        ),
    ],
)
@pytest.mark.parametrize("bound_to", ["127.0.0.1", "0.0.0.0"])
def test_name_that_a_stranger_can_have_is_not(bound_to: str, header: str) -> None:
    assert not make_host_check(bound_to, "https://img.example.com")(header)


def test_public_base_url_names_a_host() -> None:
    is_ours = make_host_check("127.0.0.1", "https://Img.Example.com:8443/v1")
    assert is_ours("img.example.com")
    assert is_ours("img.example.com:8443")


@pytest.mark.parametrize("header", ["192.168.1.5:8000", "[fe80::1]:8000", "image_api:8000", "nas"])
def test_where_others_reach_it_addresses_and_names_without_a_dot_are_known_too(header: str) -> None:
    assert make_host_check("0.0.0.0", "")(header)
    assert not make_host_check("127.0.0.1", "")(header)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.1.2.3", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("nas", False), ("", False)),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
