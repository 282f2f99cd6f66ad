"""Signed links: altered and expired links are refused, and keys can be rotated."""

import hmac
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.delivery import links
from imageapi.delivery.links import Validity, expires_at, sign_link, verify_link
from imageapi.errors import ConfigurationError, ForbiddenError

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
NOW = 1_800_000_000.0
TTL = 3600
KEYS = ("new-secret", "old-secret")


def make_link(now: float = NOW, keys: tuple[str, ...] = KEYS, lifetime: int = TTL) -> dict[str, str]:
    """The parts of a fresh link by name: ``image_id``, ``variant`` and the query's."""
    return split_link(sign_link(ID, "w320", Validity(expires=expires_at(now, lifetime)), keys=keys))


def make_permanent_link(version: int = 3) -> dict[str, str]:
    return split_link(sign_link(ID, "w320", Validity(version=version), keys=KEYS))


def split_link(link: str) -> dict[str, str]:
    url = urlsplit(link)
    _, images, image_id, variant = url.path.split("/")
    assert images == "images"
    query = {name: value for name, (value,) in parse_qs(url.query, strict_parsing=True).items()}
    return {"image_id": image_id, "variant": variant, **query}


def verify(
    parts: dict[str, Any], now: float = NOW, keys: tuple[str, ...] = KEYS, lifetime: int = TTL
) -> Validity:
    query = {name: value for name, value in parts.items() if name not in ("image_id", "variant")}
    variants = [parts["variant"]]
    return verify_link(parts["image_id"], variants, query, now=now, lifetime=lifetime, keys=keys)


def expiry(parts: dict[str, str]) -> int:
    return int(parts["e"])


def refusal(parts: dict[str, Any], now: float = NOW, keys: tuple[str, ...] = KEYS) -> str:
    with pytest.raises(ForbiddenError) as caught:
        verify(parts, now, keys)
    assert caught.value.status == 403
    return caught.value.code


def test_a_fresh_link_is_good() -> None:
    parts = make_link()
    assert set(parts) == {"image_id", "variant", "e", "k", "s"}
    assert TTL <= expiry(parts) - NOW <= TTL * 1.5
    assert verify(parts) == Validity(expires=expiry(parts))


def test_a_permanent_link_is_good_for_its_version() -> None:
    parts = make_permanent_link()
    assert set(parts) == {"image_id", "variant", "v", "k", "s"}
    assert verify(parts, NOW * 100) == Validity(version=3)
    for version in ("4", "0", "03", "", "-3", "３"):
        assert refusal(parts | {"v": version}) == "link_invalid"


def test_an_expiry_is_no_version() -> None:
    """Each has its own form in the signed message."""
    parts = make_link()
    assert refusal(parts | {"v": parts.pop("e")}) == "link_invalid"
    parts = make_permanent_link()
    assert refusal(parts | {"e": parts.pop("v")}) == "link_invalid"
    assert refusal(make_link() | {"v": "3"}) == "link_invalid"
    assert refusal(make_permanent_link() | {"e": make_link()["e"]}) == "link_invalid"


def test_the_largest_expiry() -> None:
    """A key that has leaked cannot make links for ever."""
    for late in (0, 60):
        verify(split_link(sign_link(ID, "w320", Validity(expires=int(NOW + 1.5 * TTL + late)), keys=KEYS)))
    parts = split_link(sign_link(ID, "w320", Validity(expires=int(NOW + 1.5 * TTL + 61)), keys=KEYS))
    assert refusal(parts) == "link_invalid"


def test_a_link_for_one_of_several_names() -> None:
    parts = make_link()
    query = {name: parts[name] for name in "eks"}
    names = ["w320.webp", "w320"]
    assert verify_link(ID, names, query, now=NOW, lifetime=TTL, keys=KEYS) == Validity(expires=expiry(parts))
    with pytest.raises(ForbiddenError):
        verify_link(ID, names[:1], query, now=NOW, lifetime=TTL, keys=KEYS)


def test_a_link_of_an_earlier_release_has_no_key_id() -> None:
    parts = make_link(keys=("old-secret",))
    del parts["k"]
    assert verify(parts) == Validity(expires=expiry(parts))


def test_a_link_of_an_animation_says_so() -> None:
    link = sign_link(ID, "w320", Validity(version=0), keys=KEYS, is_animated=True)
    assert link == sign_link(ID, "w320", Validity(version=0), keys=KEYS) + "&m=1"
    verify(split_link(link))


@pytest.mark.parametrize("seconds", [0, 1, 899, 900, 1799, 1800, 1801, 12_345])
@pytest.mark.parametrize("lifetime", [60, 61, 3600])
def test_a_link_lasts_its_time_and_half_of_it_more_at_most(seconds: int, lifetime: int) -> None:
    now = NOW + seconds
    left = expiry(make_link(now, lifetime=lifetime)) - now
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
        {"s": "A" * 32},
        {"s": "鍵"},
        {"s": "\ud800"},
        {"e": "1800005000"},
        {"k": "AAAAAAAA"},
        {"k": ""},
        {"k": links.key_id("old-secret")},
    ],
)
def test_an_altered_link(change: dict[str, str]) -> None:
    assert refusal(make_link() | change) == "link_invalid"


def test_a_shortened_or_lengthened_signature() -> None:
    parts = make_link()
    for signature in (parts["s"][:-1], parts["s"] + "A", parts["s"].lower()):
        assert refusal(parts | {"s": signature}) == "link_invalid"


@pytest.mark.parametrize("part", ["e", "s"])
def test_an_incomplete_link(part: str) -> None:
    parts = make_link()
    assert refusal(parts | {part: ""}) == "link_invalid"
    del parts[part]
    assert refusal(parts) == "link_invalid"


@pytest.mark.parametrize(
    "expires",
    ["never", "-1", "1.5", "1e9", " 1800003600", "1800003600\n", "01800003600", "１８０", "9" * 5_000],
)
def test_expiries_that_are_no_numbers(expires: str) -> None:
    assert refusal(make_link() | {"e": expires}) == "link_invalid"


def test_an_expired_link() -> None:
    parts = make_link()
    expires = expiry(parts)
    assert verify(parts, expires - 1) == Validity(expires=expires)
    assert refusal(parts, expires) == "link_expired"
    assert refusal(parts, expires + 10**6) == "link_expired"


def test_an_altered_link_is_not_told_that_it_has_expired() -> None:
    assert refusal(make_link() | {"e": "1"}) == "link_invalid"


def test_keys_can_be_replaced() -> None:
    old = make_link(keys=("old-secret",))
    assert verify(old, keys=("new-secret", "old-secret")) == Validity(expires=expiry(old))
    assert refusal(old, keys=("new-secret",)) == "link_invalid"
    assert make_link(keys=("new-secret", "old-secret")) == make_link(keys=("new-secret",))


def test_without_a_key_there_are_no_links() -> None:
    with pytest.raises(ConfigurationError) as caught:
        sign_link(ID, "w320", Validity(version=0), keys=())
    assert caught.value.code == "service_misconfigured"
    with pytest.raises(ConfigurationError):
        verify(make_link(), keys=())


@pytest.mark.parametrize("signing_key", ["new-secret", "old-secret", "wrong"])
@pytest.mark.parametrize("has_key_id", [True, False])
def test_keys_are_compared_in_constant_time(
    signing_key: str, has_key_id: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make_link(keys=(signing_key,))
    if not has_key_id:
        del parts["k"]
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
    tried = int(signing_key in KEYS) if has_key_id else len(KEYS)
    assert [left for left, _ in compared] == [parts["s"].encode()] * tried
    assert len({right for _, right in compared}) == tried
