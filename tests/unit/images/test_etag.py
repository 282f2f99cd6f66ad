"""ETags and conditional requests."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.http.response import etag_matches
from imageapi.images import etag
from imageapi.images.etag import make_etag, parse_if_match

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
NOW = 1_800_000_001.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The current time for ETags; links last an hour to an hour and a half."""
    moment = SimpleNamespace(now=NOW)
    monkeypatch.setattr(etag, "time", SimpleNamespace(time=lambda: moment.now))
    monkeypatch.setattr(etag, "get_settings", lambda: SimpleNamespace(link_ttl=3600))
    return moment


def row(version: int) -> dict[str, Any]:
    return {"version": version, "duplicate_of": None}


def test_etag_changes_with_the_version_and_with_the_links(clock: SimpleNamespace) -> None:
    first = make_etag(row(1))
    assert make_etag(row(1)) == first
    assert make_etag(row(2)) != first

    clock.now += 1790
    assert make_etag(row(1)) == first
    clock.now += 1790
    assert make_etag(row(1)) != first


def test_etag_is_one_quoted_string(clock: SimpleNamespace) -> None:
    etag = make_etag(row(7))

    assert etag[0] == etag[-1] == '"'
    assert etag[1:-1].isascii()
    assert '"' not in etag[1:-1]
    assert "," not in etag


@given(st.integers(1, 999_999_999))
def test_an_etag_is_read_back_as_its_version(version: int) -> None:
    etag = f'"{version}.1800003600"'

    assert parse_if_match(etag) == [version]
    assert parse_if_match(f"  {etag} ") == [version]
    # Compressing proxies make ETags weak.
    assert parse_if_match(f"W/{etag}") == [version]
    assert parse_if_match(f'"{version}"') == [version]


def test_several_etags() -> None:
    assert parse_if_match('"1.1800003600", W/"3","x" , "7.1800003600-ab"') == [1, 3, 7]


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_any_version_will_do(header: str | None) -> None:
    assert parse_if_match(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "1",
        '"',
        '""',
        '"x"',
        '"-1"',
        '"1.x"',
        '"1"x',
        "'1'",
        '"1.2.3"',
        '"１"',
        '"1234567890"',
        '"1"\n"2"',
    ],
)
def test_what_no_image_can_have_matches_none(header: str) -> None:
    assert parse_if_match(header) == []


@given(st.text())
def test_any_if_match_is_a_version_or_refused(header: str) -> None:
    versions = parse_if_match(header)
    assert versions is None or all(0 <= version < 2**31 for version in versions)


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("", False),
        ('"1.2"', True),
        ('W/"1.2"', True),
        (' "0.1" , W/"1.2"', True),
        ('"0.1","2.2"', False),
        ("*", True),
        ("1.2", False),
        ('"1.20"', False),
        (",", False),
    ],
)
def test_if_none_match(header: str | None, matches: bool) -> None:
    assert etag_matches(header, '"1.2"') is matches
