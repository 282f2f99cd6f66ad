"""Signed links: altered and expired links are refused, and keys can be rotated.

tests/unit/cdn/test_edge_links.py compares further refusals, and the bounds of the expiry, with CloudFront.
"""

import hmac
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.delivery import links
from imageapi.delivery.links import Validity, expires_at, sign_link, verify_link
from imageapi.errors import ConfigurationError, ForbiddenError

from tests.support.properties import any_text, check

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
NOW = 1_800_000_000.0
TTL = 3600
KEYS = ("new-secret", "old-secret")
EXPIRES = expires_at(NOW, TTL)
FOR_AN_HOUR = Validity(expires=EXPIRES)


def make_link(validity: Validity = FOR_AN_HOUR, keys: tuple[str, ...] = KEYS) -> dict[str, str]:
    """The parts of a link by name: ``image_id``, ``variant`` and the query's."""
    url = urlsplit(sign_link(ID, "w320", validity, keys=keys))
    _, images, image_id, variant = url.path.split("/")
    assert images == "images"
    query = {name: value for name, (value,) in parse_qs(url.query, strict_parsing=True).items()}
    return {"image_id": image_id, "variant": variant, **query}


def verify(parts: dict[str, Any], now: float = NOW, keys: tuple[str, ...] = KEYS) -> Validity:
    query = {name: value for name, value in parts.items() if name not in ("image_id", "variant")}
    return verify_link(parts["image_id"], [parts["variant"]], query, now=now, lifetime=TTL, keys=keys)


def refusal(parts: dict[str, Any]) -> str:
    with pytest.raises(ForbiddenError) as caught:
        verify(parts)
    assert caught.value.status == 403
    return caught.value.code


PATH_TEXT = st.text(st.characters(exclude_categories=["Cc"]), min_size=1, max_size=40)
KEY_LISTS = st.lists(any_text.filter(bool), min_size=1, max_size=3, unique=True)
VERSIONS = st.integers(0, 10**12 - 1).map(lambda version: Validity(version=version))


@check
@given(PATH_TEXT, st.floats(0, 1e11), st.integers(60, 10**6), st.none() | VERSIONS, KEY_LISTS, st.data())
def test_a_link_is_valid_only_as_signed_under_any_of_the_keys(
    variant: str, now: float, lifetime: int, term: Validity | None, keys: list[str], other: st.DataObject
) -> None:
    term = term or Validity(expires=expires_at(now, lifetime))
    link = sign_link("an-id", variant, term, keys=keys[-1:])
    path, _, text = link.rpartition("?")
    query = dict(part.split("=", 1) for part in text.split("&"))
    assert path == f"/images/an-id/{variant}"
    assert set(query) == {"v" if term.expires is None else "e", "k", "s"}

    def verify(image_id: str, name: str, query: dict[str, str]) -> Validity:
        return verify_link(image_id, [name], query, now=now, lifetime=lifetime, keys=keys)

    assert verify("an-id", variant, query) == term
    assert term.expires is None or lifetime <= term.expires - int(now) <= lifetime * 1.5
    altered = other.draw(PATH_TEXT.filter(lambda text: text not in {"an-id", variant, *query.values()}))
    changes = [(altered, variant, query), ("an-id", altered, query)]
    changes += [("an-id", variant, query | {name: altered}) for name in query]
    with pytest.raises(ForbiddenError):
        verify(*other.draw(st.sampled_from(changes)))


def test_the_same_link_for_half_its_lifetime() -> None:
    start = NOW // 1800 * 1800 + 1
    expires = [expires_at(start + late, TTL) for late in (0, 1799, 1800)]
    assert expires == [expires[0], expires[0], expires[0] + 1800]


@pytest.mark.parametrize(
    "change",
    [
        *({"image_id": ID.upper()}, {"image_id": ""}, {"variant": "original"}, {"variant": "w3200"}),
        *({"s": "A" * 32}, {"s": "\ud800"}, {"s": make_link()["s"][:-1]}, {"s": make_link()["s"] + "A"}),
        *({"s": make_link()["s"].lower()}, {"s": ""}, {"k": ""}, {"k": links.key_id("old-secret")}),
        *({"e": text} for text in ("", "never", "-1", "1.5", "1e9", "１８０", "9" * 5_000, "1")),
        *({"e": text} for text in (f" {EXPIRES}", f"{EXPIRES}\n", f"0{EXPIRES}", str(EXPIRES + 1))),
        {"v": "3"},
    ],
)
def test_an_altered_link(change: dict[str, str]) -> None:
    assert refusal(make_link() | change) == "link_invalid"


def test_a_part_is_missing() -> None:
    for name in "es":
        parts = make_link()
        del parts[name]
        assert refusal(parts) == "link_invalid"


def test_a_permanent_link_is_good_for_its_version() -> None:
    parts = make_link(Validity(version=3))
    assert verify(parts, NOW * 100) == Validity(version=3)
    for version in ("4", "0", "03", "", "-3", "３"):
        assert refusal(parts | {"v": version}) == "link_invalid"
    assert refusal(parts | {"e": str(EXPIRES)}) == "link_invalid"


def test_a_link_of_an_animation_says_so() -> None:
    link = sign_link(ID, "w320", Validity(version=0), keys=KEYS, is_animated=True)
    assert link == sign_link(ID, "w320", Validity(version=0), keys=KEYS) + "&m=1"


def test_the_first_key_signs() -> None:
    assert make_link() == make_link(keys=("new-secret",))


def test_without_a_key_there_are_no_links() -> None:
    parts = make_link()
    for use in (lambda: make_link(keys=()), lambda: verify(parts, keys=())):
        with pytest.raises(ConfigurationError) as caught:
            use()
        assert caught.value.code == "service_misconfigured"


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
    if signing_key == "wrong":
        assert refusal(parts) == "link_invalid"
    else:  # links of an earlier release lack a key id
        assert verify(parts) == FOR_AN_HOUR
    tried = int(signing_key in KEYS) if has_key_id else len(KEYS)
    assert [left for left, _ in compared] == [parts["s"].encode()] * tried
    assert len({right for _, right in compared}) == tried
