"""The query string of a list: accepted values, and the refusals of all others."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError, InvalidRequestError
from imageapi.search.list_parameters import PARAMETERS, ListQuery, parse_list_parameters

from tests.unit.http.test_forms_properties import any_text, check


def refusal(**parameters: str | list[str]) -> tuple[str, str | None]:
    lists = {name: value if isinstance(value, list) else [value] for name, value in parameters.items()}
    with pytest.raises(InvalidRequestError) as caught:
        parse_list_parameters(lists)
    assert caught.value.status == 400
    return caught.value.code, (caught.value.details or {}).get("parameter")


def test_nothing_asked_for() -> None:
    assert parse_list_parameters({}) == ListQuery()


def test_everything_asked_for() -> None:
    query = parse_list_parameters(
        {
            "limit": ["7"],
            "category": ["旅行"],
            "tag": ["Night", "ＮIGHT", "sea"],
            "q": ["Sun 東京"],
            "created_after": ["2026-11-24T09:30:00+09:00"],
            "created_before": ["2026-12-01"],
            "mime_type": ["image/webp"],
            "min_width": ["1000"],
            "min_height": ["1"],
            "sort": ["size"],
            "total": ["true"],
        }
    )
    assert (query.limit, query.category, query.tags, query.sort) == (7, "旅行", ("night", "sea"), "size")
    assert [term.text for term in query.terms] == ["sun", "東京"]
    assert query.created_after == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert query.created_before == datetime(2026, 12, 1, tzinfo=UTC)
    assert (query.mime_type, query.min_width, query.min_height, query.total) == ("image/webp", 1000, 1, True)


def test_the_best_matches_come_first_unless_asked_otherwise() -> None:
    assert parse_list_parameters({"q": ["sun"]}).sort == "relevance"
    assert parse_list_parameters({"q": ["sun"], "sort": ["newest"]}).sort == "newest"


def test_a_plus_sign_that_was_not_encoded() -> None:
    query = parse_list_parameters({"created_after": ["2026-11-24T09:30:00 09:00"]})
    assert query.created_after == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("q", "!!"),
        ("q", ""),
        ("q", "a" * 201),
        ("q", " ".join("abcdefghijklmnopqrstu")),
        ("sort", "relevance"),
        ("sort", "id; DROP TABLE"),
        ("tag", ""),
        ("created_after", "yesterday"),
        ("created_before", "2026-13-01"),
        ("created_before", "0001-01-01T00:00:00+14:00"),
        ("mime_type", "image/*"),
        ("mime_type", "text/html"),
        ("min_width", "0"),
        ("min_width", "-1"),
        ("min_height", "1e3"),
        ("min_height", "١٢"),
        ("total", "yes"),
        ("category", "a\0b"),
        ("q", "\ud800"),
    ],
)
def test_refused(name: str, value: str) -> None:
    assert refusal(**{name: value}) == ("parameter_invalid", name)


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "201", "abc", "", "1.5", "1e2", " 5", "５"])
def test_a_limit_that_is_none(limit: str) -> None:
    assert refusal(limit=limit)[0] == "limit_invalid"


def test_too_many_tags() -> None:
    assert refusal(tag=[str(number) for number in range(11)]) == ("parameter_invalid", "tag")


@pytest.mark.parametrize("name", sorted(PARAMETERS - {"tag"}))
def test_sent_twice(name: str) -> None:
    assert refusal(**{name: ["1", "1"]}) == ("parameter_repeated", None)


def test_unknown() -> None:
    assert refusal(page="2")[0] == "parameter_unknown"


@check
@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.lists(any_text, min_size=1, max_size=2)))
def test_anything_is_read_or_refused(parameters: dict[str, list[str]]) -> None:
    try:
        query = parse_list_parameters(parameters)
    except AppError:
        return
    assert all("\0" not in term.needle for term in query.terms)
