"""The query string of a list: accepted values, and the refusals of all others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError, InvalidRequestError
from imageapi.search.list_parameters import PARAMETERS, ListQuery, parse_list_parameters

from tests.support.properties import any_text, check


def refusal(name: str, value: str | list[str]) -> tuple[str, str | None]:
    with pytest.raises(InvalidRequestError) as caught:
        parse_list_parameters({name: value if isinstance(value, list) else [value]})
    assert caught.value.status == 400
    return caught.value.code, (caught.value.details or {}).get("parameter")


UNESCAPED = "2026-11-24T09:30:00 09:00"
"""Its plus sign was not encoded."""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *(({}, {}), ({"limit": ["7"]}, {"limit": 7}), ({"category": [" 旅行 "]}, {"category": "旅行"})),
        ({"tag": ["Night", "ＮIGHT", "sea"]}, {"tags": ("night", "sea")}),
        # A plus sign that was not encoded.
        (
            {"created_after": ["2026-11-24T09:30:00 09:00"]},
            {"created_after": datetime(2026, 11, 24, 0, 30, tzinfo=UTC)},
        ),
        ({"created_before": ["2026-12-01"]}, {"created_before": datetime(2026, 12, 1, tzinfo=UTC)}),
        ({"mime_type": ["image/webp"]}, {"mime_type": "image/webp"}),
        ({"total": ["true"]}, {"total": True}),
        *(({"min_width": ["1000"]}, {"min_width": 1000}), ({"min_height": ["1"]}, {"min_height": 1})),
        ({"sort": ["size"]}, {"sort": "size"}),
    ],
)
def test_what_is_asked_for(asked: dict[str, list[str]], found: Any) -> None:
    assert parse_list_parameters(asked) == ListQuery(**found)


def test_the_best_matches_come_first_unless_asked_otherwise() -> None:
    query = parse_list_parameters({"q": ["Sun 東京"]})
    assert ([term.text for term in query.terms], query.sort) == (["sun", "東京"], "relevance")
    assert parse_list_parameters({"q": ["sun"], "sort": ["newest"]}).sort == "newest"


INVALID: dict[str, list[str | list[str]]] = {
    "q": ["!!", "", "a" * 201, " ".join("abcdefghijklmnopqrstu"), "\ud800"],
    "sort": ["relevance", "id; DROP TABLE"],
    "tag": ["", [str(number) for number in range(11)]],
    "created_after": ["yesterday"],
    "created_before": ["2026-13-01", "0001-01-01T00:00:00+14:00"],
    "mime_type": ["image/*", "text/html"],
    "min_width": ["0", "-1"],
    "min_height": ["1e3", "١٢"],
    "total": ["yes"],
    "category": ["a\0b"],
}


@pytest.mark.parametrize("name", INVALID)
def test_refused(name: str) -> None:
    for value in INVALID[name]:
        assert refusal(name, value) == ("parameter_invalid", name), value


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "201", "abc", "", "1.5", "1e2", " 5", "５"])
def test_a_limit_that_is_none(limit: str) -> None:
    assert refusal("limit", limit) == ("parameter_invalid", None)


def test_sent_twice_or_unknown() -> None:
    for name in PARAMETERS - {"tag"}:
        assert refusal(name, ["1", "1"]) == ("parameter_repeated", None)
    assert refusal("page", "2") == ("parameter_unknown", None)


@check
@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.lists(any_text, min_size=1, max_size=2)))
def test_anything_is_read_or_refused(parameters: dict[str, list[str]]) -> None:
    try:
        query = parse_list_parameters(parameters)
    except AppError:
        return
    assert all("\0" not in term.needle for term in query.terms)
