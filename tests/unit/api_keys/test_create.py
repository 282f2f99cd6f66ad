"""Requests for a new key that are refused. Nothing here reaches the database."""

from typing import Any

import pytest
from imageapi.actor import ROOT
from imageapi.api_keys.check import Key
from imageapi.api_keys.manage import create_key
from imageapi.errors import ForbiddenError, UnprocessableError
from imageapi.model.schemas import check_body
from imageapi.model.scopes import SCOPES

from tests.support.openapi import body_of

GOOD: dict[str, Any] = {"name": "shop", "scopes": ["images:read"]}


def refusal(values: dict[str, Any]) -> UnprocessableError:
    with pytest.raises(UnprocessableError) as caught:
        create_key(check_body(values, body_of("createKey")), Key(ROOT, SCOPES))
    return caught.value


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["", "   ", "x" * 101, "a\0b", "a\nb", "a\ud800"]),
        ("expires_at", ["", "tomorrow", "2020-01-31T09:30:00Z", "0001-01-01T00:00:00+14:00"]),
        # The year 10000 in UTC, which PostgreSQL accepts and Python cannot read.
        ("expires_at", ["9999-12-31T23:59:59-12:00"]),
    ],
)
def test_a_wrong_field_is_named(field: str, values: list[Any]) -> None:
    for value in values:
        error = refusal(GOOD | {field: value})
        assert (error.status, error.code) == (422, "field_invalid"), value
        assert (error.details or {})["field"] == field, value


@pytest.mark.parametrize("scope", SCOPES)
def test_nobody_gives_a_scope_that_they_lack(scope: str) -> None:
    creator = Key("a", tuple(name for name in SCOPES if name != scope))
    with pytest.raises(ForbiddenError) as caught:
        create_key(GOOD | {"scopes": list(SCOPES)}, creator)
    assert (caught.value.code, caught.value.details) == ("scope_missing", {"scope": scope})
