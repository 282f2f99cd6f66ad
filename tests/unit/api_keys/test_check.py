"""API keys."""

import hmac
from types import SimpleNamespace

import pytest
from imageapi.api_keys import check
from imageapi.api_keys.check import check_key
from imageapi.errors import AppError, UnauthorizedError

KEYS = ("first-key", "ключ-鍵", "last-key")
WRONG = [
    *("first-ke", "first-key ", " first-key", "First-Key", "first-key,last-key"),
    *("鍵", "\ud800", "\0", "k" * 100_000),
]


@pytest.mark.parametrize(
    ("presented", "keys", "status", "code"),
    [
        *((presented, KEYS, 401, "api_key_missing") for presented in (None, "")),
        *((presented, KEYS, 401, "api_key_invalid") for presented in WRONG),
        *((presented, (), 503, "service_misconfigured") for presented in (None, "", "anything")),
    ],
)
def test_nobody_else_passes(presented: str | None, keys: tuple[str, ...], status: int, code: str) -> None:
    with pytest.raises(AppError) as caught:
        check_key(presented, keys)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert code != "api_key_invalid" or str(presented) not in caught.value.message


@pytest.mark.parametrize("presented", [*KEYS, "wrong"])
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
