"""ETags and conditional requests."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.http import image_response
from imageapi.http.etag import etag_matches, parse_if_match
from imageapi.http.image_response import make_etag


def test_etag_changes_with_the_version_and_with_the_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links expire after 60 to 90 minutes."""
    clock, keys = SimpleNamespace(now=1_800_000_001.0), ["first"]
    settings = SimpleNamespace(link_ttl=3600, secret_keys=keys)
    monkeypatch.setattr(image_response, "time", SimpleNamespace(time=lambda: clock.now))
    monkeypatch.setattr(image_response, "get_settings", lambda: settings)
    one, two = ({"version": version, "duplicate_of": None} for version in (1, 2))
    assert (make_etag(one), make_etag(two)) == ('"1.1800005400"', '"2.1800005400"')
    clock.now += 1790
    assert make_etag(one) == '"1.1800005400"'
    clock.now += 1790
    assert make_etag(one) == '"1.1800007200"'

    permanent = make_etag(one | {"link_version": 3}, "https://a.example")
    assert make_etag(one | {"link_version": 3}, "https://b.example") != permanent
    keys[0] = "second"
    assert make_etag(one | {"link_version": 3}, "https://a.example") != permanent
    assert parse_if_match(permanent) == [1]


@given(st.integers(1, 999_999_999))
def test_an_etag_is_read_back_as_its_version(version: int) -> None:
    etag = f'"{version}.1800003600"'
    for header in (etag, f"  {etag} ", f'"{version}"'):
        assert parse_if_match(header) == [version]
    assert parse_if_match(f"W/{etag}") == [], "If-Match compares strongly"


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('"1.1800003600", "3","x" , "7.1800003600-ab"', [1, 3, 7]),
        *((header, None) for header in (None, "*", " * ")),
        *((header, []) for header in ("", "1", '"', '""', '"x"', '"-1"', '"1.x"', '"1"x', "'1'", '"1.2.3"')),
        *((header, []) for header in ('"１"', '"1234567890"', '"1"\n"2"')),
    ],
)
def test_if_match(header: str | None, versions: list[int] | None) -> None:
    """None: any version matches. An empty list: no version does."""
    assert parse_if_match(header) == versions


@given(st.text())
def test_any_if_match_is_a_version_or_refused(header: str) -> None:
    versions = parse_if_match(header)
    assert versions is None or all(0 <= version < 2**31 for version in versions)


@pytest.mark.parametrize(
    ("matches", "headers"),
    [
        (True, ('"1.2"', 'W/"1.2"', ' "0.1" , W/"1.2"', "*")),
        (False, (None, "", '"0.1","2.2"', "1.2", '"1.20"', ",")),
    ],
)
def test_if_none_match(matches: bool, headers: tuple[str | None, ...]) -> None:
    for header in headers:
        assert etag_matches(header, '"1.2"') is matches, header
