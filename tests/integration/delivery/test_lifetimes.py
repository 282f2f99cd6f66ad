"""Lifetimes of a link, the URL behind it, and cached copies of both."""

import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.pictures import render

from tests.integration.client import upload
from tests.integration.lifecycle import fetch, sign
from tests.integration.stores import Configure, Stores
from tests.support import pictures


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    """An existing image."""
    return upload(pictures.jpeg(800, 600)).image


def max_age(header: str) -> int:
    match = re.search(r"max-age=(\d+)", header)
    assert match, header
    return int(match[1])


def url_expiry(url: str) -> float:
    query = parse_qs(urlsplit(url).query)
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed.timestamp() + int(query["X-Amz-Expires"][0])


def test_nothing_outlives_the_link(image: dict[str, Any], configure: Configure) -> None:
    configure(LINK_TTL_SECONDS="36000")
    for lifetime in (60, 600, 3600, 36_000):
        for variant in ("original", "w160.webp"):
            link = sign(image["id"], variant, lifetime=lifetime)
            expires = int(parse_qs(urlsplit(link).query)["e"][0])

            asked = time.time()
            found = fetch(link)

            left = expires - asked
            assert 0 <= max_age(found.answer.headers["cache-control"][0]) <= left
            assert max_age(found.headers["Cache-Control"]) <= left + 1
            assert url_expiry(found.location) <= expires
            assert found.answer.headers["cache-control"][0].startswith("private, ")
            assert found.headers["Cache-Control"].startswith("private, ")
            # A cache must not keep a redirect longer than its target URL is valid.
            assert asked + max_age(found.answer.headers["cache-control"][0]) < url_expiry(found.location)


def test_a_url_that_took_long_to_make_does_not_outlive_the_link_either(
    image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = render.render

    def render_slowly(*args: Any) -> bytes:
        time.sleep(2.1)
        return original(*args)

    monkeypatch.setattr(render, "render", render_slowly)
    link = sign(image["id"], "w160.webp", lifetime=60)

    location = fetch(link).location

    assert url_expiry(location) <= int(parse_qs(urlsplit(link).query)["e"][0])
