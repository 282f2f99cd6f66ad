"""Requests for a new key that are refused. Nothing here reaches the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.actor import ROOT
from imageapi.api_keys.check import Key
from imageapi.api_keys.manage import create_key
from imageapi.errors import ForbiddenError, UnprocessableError
from imageapi.model.scopes import SCOPES

from tests.support.settings import use_settings

ROOT_KEY = Key(ROOT, SCOPES)
GOOD: dict[str, Any] = {"name": "shop", "scopes": ["images:read"]}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_settings(monkeypatch, {"DB_HOST": "db.invalid"}):
        yield


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["shop"]}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x" * 10_240}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\ud800"}, "name"),
        ({"scopes": None}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "images:read"}, "scopes"),
        ({"scopes": {"images:read": True}}, "scopes"),
        ({"expires_at": ""}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": 4_102_444_800}, "expires_at"),
        ({"expires_at": "2020-01-31T09:30:00Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        # The year 10000 in UTC, which PostgreSQL takes and Python cannot read.
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"admin": True}, "admin"),
        ({"\ud800" * 100: 1}, "?" * 64),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnprocessableError) as caught:
        create_key(GOOD | changes, ROOT_KEY)
    assert (caught.value.status, caught.value.code) == (422, "key_invalid")
    assert caught.value.details is not None
    assert caught.value.details["field"] == field


@pytest.mark.parametrize("field", ["name", "scopes"])
def test_what_is_missing_is_named(field: str) -> None:
    with pytest.raises(UnprocessableError) as caught:
        create_key({name: value for name, value in GOOD.items() if name != field}, ROOT_KEY)
    assert caught.value.details is not None
    assert (caught.value.code, caught.value.details["field"]) == ("key_invalid", field)


@pytest.mark.parametrize(
    "scope", ["images", "IMAGES:READ", "images:read ", "*", "", None, 1, ["keys:manage"]]
)
def test_an_unknown_scope_is_refused(scope: Any) -> None:
    with pytest.raises(UnprocessableError) as caught:
        create_key(GOOD | {"scopes": ["images:read", scope]}, ROOT_KEY)
    assert (caught.value.code, caught.value.details) == ("scope_unknown", {"known": list(SCOPES)})


@pytest.mark.parametrize("scope", SCOPES)
def test_nobody_gives_a_scope_that_they_lack(scope: str) -> None:
    creator = Key("a", tuple(name for name in SCOPES if name != scope))
    with pytest.raises(ForbiddenError) as caught:
        create_key(GOOD | {"scopes": list(SCOPES)}, creator)
    assert (caught.value.status, caught.value.code) == (403, "scope_missing")
    assert caught.value.details == {"scope": scope}
