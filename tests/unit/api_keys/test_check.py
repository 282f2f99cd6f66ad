"""API keys."""

import hmac
from types import SimpleNamespace

import pytest
from imageapi.api_keys import check
from imageapi.api_keys.check import check_key
from imageapi.errors import ConfigurationError, UnauthorizedError

KEYS = ("first-key", "ключ-鍵", "last-key")


@pytest.mark.parametrize("key", KEYS)
def test_every_accepted_key_passes(key: str) -> None:
    check_key(key, KEYS)


@pytest.mark.parametrize("presented", [None, ""])
def test_no_key(presented: str | None) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        check_key(presented, KEYS)
    assert (caught.value.status, caught.value.code) == (401, "api_key_missing")


@pytest.mark.parametrize(
    "presented",
    [
        "first-ke",
        "first-key ",
        " first-key",
        "First-Key",
        "first-key,last-key",
        "鍵",
        "\ud800",
        "\0",
        "k" * 100_000,
    ],
)
def test_wrong_key(presented: str) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        check_key(presented, KEYS)
    assert (caught.value.status, caught.value.code) == (401, "api_key_invalid")
    assert presented not in caught.value.message


@pytest.mark.parametrize("presented", [None, "", "anything"])
def test_nobody_passes_when_no_key_is_set(presented: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_key(presented, ())
    assert (caught.value.status, caught.value.code) == (503, "service_misconfigured")


@pytest.mark.parametrize("presented", ["first-key", "last-key", "wrong"])
def test_every_key_is_compared_in_constant_time(presented: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare_digest(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return hmac.compare_digest(left, right)

    monkeypatch.setattr(check, "hmac", SimpleNamespace(compare_digest=compare_digest))
    try:
        check_key(presented, KEYS)
    except UnauthorizedError:
        assert presented == "wrong"
    assert compared == [(presented.encode(), key.encode()) for key in KEYS]
