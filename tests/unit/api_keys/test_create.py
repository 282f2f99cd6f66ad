"""Requests for a new key that are refused. Nothing here reaches the database."""

from typing import Any

import pytest
from imageapi.actor import ROOT
from imageapi.api_keys.check import Key
from imageapi.api_keys.manage import create_key
from imageapi.errors import ForbiddenError, UnprocessableError
from imageapi.model.scopes import SCOPES

GOOD: dict[str, Any] = {"name": "shop", "scopes": ["images:read"]}


def refusal(values: dict[str, Any]) -> UnprocessableError:
    with pytest.raises(UnprocessableError) as caught:
        create_key(values, Key(ROOT, SCOPES))
    return caught.value


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "name",
            [None, "", "   ", 7, ["shop"], "x" * 101, "a\0b", "a\nb", "a\ud800"],
        ),
        ("scopes", [None, [], "images:read", {"images:read": True}]),
        (
            "expires_at",
            [
                *("", "tomorrow", 4_102_444_800, "2020-01-31T09:30:00Z", "0001-01-01T00:00:00+14:00"),
                # The year 10000 in UTC, which PostgreSQL takes and Python cannot read.
                "9999-12-31T23:59:59-12:00",
            ],
        ),
        ("admin", [True]),
    ],
)
def test_a_wrong_field_is_named(field: str, values: list[Any]) -> None:
    for value in values:
        error = refusal(GOOD | {field: value})
        assert (error.status, error.code) == (422, "field_invalid"), value
        assert (error.details or {})["field"] == field, value


def test_what_is_missing_is_named_and_what_is_unknown_not_at_length() -> None:
    for field in GOOD:
        error = refusal({name: value for name, value in GOOD.items() if name != field})
        assert (error.code, (error.details or {})["field"]) == ("field_invalid", field)
    assert (refusal(GOOD | {"\ud800" * 100: 1}).details or {})["field"] == "?" * 64


@pytest.mark.parametrize("scope", ["images", "IMAGES:READ", "images:read ", "*", "", None, ["keys:manage"]])
def test_an_unknown_scope_is_refused(scope: Any) -> None:
    error = refusal(GOOD | {"scopes": ["images:read", scope]})
    assert error.details == {"field": "scopes", "reason": "scope", "known": list(SCOPES)}


@pytest.mark.parametrize("scope", SCOPES)
def test_nobody_gives_a_scope_that_they_lack(scope: str) -> None:
    creator = Key("a", tuple(name for name in SCOPES if name != scope))
    with pytest.raises(ForbiddenError) as caught:
        create_key(GOOD | {"scopes": list(SCOPES)}, creator)
    assert (caught.value.code, caught.value.details) == ("scope_missing", {"scope": scope})
