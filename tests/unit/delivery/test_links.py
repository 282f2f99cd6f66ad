"""Signed links: altered and expired links are refused, and keys can be rotated."""

import hmac
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.delivery import links
from imageapi.delivery.links import expires_at, sign_link, verify_link
from imageapi.errors import ConfigurationError, ForbiddenError

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
NOW = 1_800_000_000.0
TTL = 3600
KEYS = ("new-secret", "old-secret")


def make_link(now: float = NOW, keys: tuple[str, ...] = KEYS, lifetime: int = TTL) -> dict[str, Any]:
    """The parts of a fresh link, as keyword arguments of verify_link."""
    url = urlsplit(sign_link(ID, "w320", expires=expires_at(now, lifetime), keys=keys))
    _, images, image_id, variant = url.path.split("/")
    assert images == "images"
    query = parse_qs(url.query, strict_parsing=True)
    assert set(query) == {"e", "s"}
    return {"image_id": image_id, "variant": variant, "expires": query["e"][0], "signature": query["s"][0]}


def verify(parts: dict[str, Any], now: float = NOW, keys: tuple[str, ...] = KEYS) -> int:
    return verify_link(**parts, now=now, keys=keys)


def refusal(parts: dict[str, Any], now: float = NOW, keys: tuple[str, ...] = KEYS) -> str:
    with pytest.raises(ForbiddenError) as caught:
        verify(parts, now, keys)
    assert caught.value.status == 403
    return caught.value.code


def test_a_fresh_link_is_good() -> None:
    assert TTL <= verify(make_link()) - NOW <= TTL * 1.5


@pytest.mark.parametrize("seconds", [0, 1, 899, 900, 1799, 1800, 1801, 12_345])
@pytest.mark.parametrize("lifetime", [60, 61, 3600])
def test_a_link_lasts_its_time_and_half_of_it_more_at_most(seconds: int, lifetime: int) -> None:
    now = NOW + seconds
    left = int(make_link(now, lifetime=lifetime)["expires"]) - now
    assert lifetime <= left <= lifetime * 1.5


def test_the_same_link_for_a_while() -> None:
    start = NOW // 1800 * 1800 + 1
    assert make_link(start) == make_link(start + 1799)
    assert make_link(start) != make_link(start + 1800)


@pytest.mark.parametrize(
    "change",
    [
        {"image_id": ID[:-1] + "f"},
        {"image_id": ID.upper()},
        {"image_id": ""},
        {"variant": "original"},
        {"variant": "w3200"},
        {"variant": ""},
        {"signature": "A" * 32},
        {"signature": "鍵"},
        {"signature": "\ud800"},
        {"expires": "1999999999"},
    ],
)
def test_an_altered_link(change: dict[str, str]) -> None:
    assert refusal(make_link() | change) == "link_invalid"


def test_a_shortened_or_lengthened_signature() -> None:
    parts = make_link()
    for signature in (parts["signature"][:-1], parts["signature"] + "A", parts["signature"].lower()):
        assert refusal(parts | {"signature": signature}) == "link_invalid"


@pytest.mark.parametrize("part", ["expires", "signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_an_incomplete_link(part: str, value: str | None) -> None:
    assert refusal(make_link() | {part: value}) == "link_invalid"


@pytest.mark.parametrize(
    "expires", ["never", "-1", "1.5", "1e9", " 1800003600", "1800003600\n", "１８０", "9" * 5_000]
)
def test_expiries_that_are_no_numbers(expires: str) -> None:
    assert refusal(make_link() | {"expires": expires}) == "link_invalid"


def test_an_expired_link() -> None:
    parts = make_link()
    expires = int(parts["expires"])
    assert verify(parts, expires - 1) == expires
    assert refusal(parts, expires) == "link_expired"
    assert refusal(parts, expires + 10**6) == "link_expired"


def test_an_altered_link_is_not_told_that_it_has_expired() -> None:
    assert refusal(make_link() | {"expires": "1"}) == "link_invalid"


def test_keys_can_be_replaced() -> None:
    old = make_link(keys=("old-secret",))
    assert verify(old, keys=("new-secret", "old-secret")) == int(old["expires"])
    assert refusal(old, keys=("new-secret",)) == "link_invalid"
    assert make_link(keys=("new-secret", "old-secret")) == make_link(keys=("new-secret",))


def test_without_a_key_there_are_no_links() -> None:
    with pytest.raises(ConfigurationError) as caught:
        sign_link(ID, "w320", expires=expires_at(NOW, TTL), keys=())
    assert caught.value.code == "secret_key_not_configured"
    with pytest.raises(ConfigurationError):
        verify_link(**make_link(), now=NOW, keys=())


@pytest.mark.parametrize("signing_key", ["new-secret", "old-secret", "wrong"])
def test_every_key_is_compared_in_constant_time(signing_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = make_link(keys=(signing_key,))
    compared = []

    def compare_digest(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return hmac.compare_digest(left, right)

    fake = SimpleNamespace(compare_digest=compare_digest, digest=hmac.digest, new=hmac.new)
    monkeypatch.setattr(links, "hmac", fake)
    try:
        verify(parts)
    except ForbiddenError:
        assert signing_key == "wrong"
    assert [left for left, _ in compared] == [parts["signature"].encode()] * len(KEYS)
    assert len({right for _, right in compared}) == len(KEYS)
