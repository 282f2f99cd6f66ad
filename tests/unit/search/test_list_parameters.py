"""The query string of a list: accepted values, and the refusals of all others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError, InvalidRequestError
from imageapi.model.parameters import parse_query
from imageapi.search.list_parameters import ListQuery, Range, make_query

from tests.support.openapi import parameters
from tests.support.properties import any_text, check

PARAMETERS = {name: each for name, each in parameters("get", "/api/images").items() if each["in"] == "query"}
MORNING = 1_795_510_800_000
"""2026-11-24T09:00:00Z in milliseconds since 1970."""


def parse(query: dict[str, list[str]]) -> ListQuery:
    return make_query(parse_query(query, PARAMETERS))


def refusal(name: str, *values: str) -> tuple[str, dict[str, Any]]:
    with pytest.raises(InvalidRequestError) as caught:
        parse({name: list(values)})
    return caught.value.code, caught.value.details or {}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *(({}, {}), ({"limit": ["7"]}, {"limit": 7}), ({"category": [" 旅行 "]}, {"category": "旅行"})),
        *(({"category": [""]}, {"category": ""}), ({"total": ["true"]}, {"total": True})),
        ({"tags": ["Night", "ＮIGHT", "sea"]}, {"tags": ("night", "sea")}),
        ({"mime_type": ["image/webp"]}, {"mime_type": "image/webp"}),
        ({"sha256": ["AB" * 32, "ab" * 32]}, {"hashes": ("ab" * 32,)}),
        *(({"sort": [sort]}, {"sort": sort}) for sort in ("-size_bytes", "title", "created_at")),
        ({"width.gte": ["5"], "width.lt": ["9"]}, {"ranges": {"width": Range(5, 8)}}),
        ({"height.gt": ["5"], "height.gte": ["3"]}, {"ranges": {"height": Range(6, None)}}),
        ({"size_bytes.lte": ["9"], "size_bytes.lt": ["9"]}, {"ranges": {"size_bytes": Range(None, 8)}}),
        # The second has a plus sign that was not encoded.
        ({"created_at.gte": ["2026-11-24T09:00:00Z"]}, {"created": Range(MORNING, None)}),
        ({"created_at.gte": ["2026-11-24T18:00:00 09:00"]}, {"created": Range(MORNING, None)}),
        ({"created_at.lt": ["2026-11-24"]}, {"created": Range(None, MORNING - 9 * 3_600_000 - 1)}),
    ],
)
def test_what_is_asked_for(asked: dict[str, list[str]], found: Any) -> None:
    assert parse(asked) == ListQuery(**found)


@pytest.mark.parametrize(("fraction", "bounds"), [("", (0, 1, 0, -1)), (".0001", (1, 1, 0, 0))])
def test_bounds_of_time_also_between_two_milliseconds(fraction: str, bounds: tuple[int, ...]) -> None:
    for name, offset in zip(("gte", "gt", "lte", "lt"), bounds, strict=True):
        found = parse({f"created_at.{name}": [f"2026-11-24T09:00:00{fraction}Z"]}).created
        bound = MORNING + offset
        assert found == (Range(bound, None) if name.startswith("g") else Range(None, bound)), name


def test_the_best_matches_come_first_unless_asked_otherwise() -> None:
    query = parse({"q": ["Sun 東京"]})
    assert ([term.text for term in query.terms], query.sort) == (["sun", "東京"], "relevance")
    assert parse({"q": ["sun"], "sort": ["-created_at"]}).sort == "-created_at"
    assert parse({}).sort == "-created_at"


@pytest.mark.parametrize(
    ("name", "reason", "values"),
    [
        ("q", "value", ["!!"]),
        ("q", "too_long", ["a" * 201]),
        ("q", "too_many", [" ".join("abcdefghijklmnopqrstu")]),
        ("q", "characters", ["\ud800", "a\0b"]),
        ("category", "characters", ["a\0b"]),
        ("category", "too_long", ["a" * 1_001]),
        ("sort", "value", ["relevance", "newest", "id; DROP TABLE"]),
        ("created_at.gte", "value", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"]),
        ("mime_type", "value", ["image/*", "text/html", "image/jpeg\n"]),
        ("sha256", "value", ["a" * 63, "g" * 64]),
        ("width.gte", "value", ["0"]),
        ("width.gte", "type", ["-1", "1e3", "١٢", "9" * 30, "1.5", " 5"]),
        ("links", "value", ["eternal", "Permanent"]),
        ("limit", "value", ["0", "201"]),
        ("limit", "type", ["-1", "abc", "５"]),
        ("total", "type", ["yes", "1", "True"]),
        ("variants", "value", ["w321", "w320.png", "original", "w320\n"]),
        *((name, "empty", [""]) for name in PARAMETERS if name != "category"),
    ],
)
def test_refused(name: str, reason: str, values: list[str]) -> None:
    for value in values:
        code, details = refusal(name, value)
        assert (code, details["parameter"], details["reason"]) == ("parameter_invalid", name, reason), value


def test_more_values_than_a_parameter_takes() -> None:
    for name, each in PARAMETERS.items():
        if each["schema"]["type"] != "array":
            assert refusal(name, "1", "1") == ("parameter_repeated", {"parameter": name})
    assert refusal("tags", *map(str, range(11)))[1]["reason"] == "too_many"
    assert refusal("variants", ",".join(["w320"] * 16), ",".join(["w640"] * 15))[1]["reason"] == "too_many"
    assert refusal("page", "2")[0] == "parameter_unknown"
    with pytest.raises(InvalidRequestError):
        parse({"q": ["sun"], "sha256": ["a" * 64]})


@check
@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.lists(any_text, min_size=1, max_size=2)))
def test_anything_is_read_or_refused(query: dict[str, list[str]]) -> None:
    try:
        found = parse(query)
    except AppError:
        return
    assert all("\0" not in term.needle for term in found.terms)
