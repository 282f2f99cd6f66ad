"""Lifetimes of a link, the URL behind it, and cached copies of both."""

import math
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.pictures import render

from tests.integration.client import get
from tests.integration.lifecycle import Delivered, fetch, sign
from tests.integration.stores import Configure


def max_age(header: str) -> int:
    match = re.search(r"max-age=(\d+)", header)
    assert match, header
    return int(match[1])


def url_expiry(url: str) -> float:
    query = parse_qs(urlsplit(url).query)
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed.timestamp() + int(query["X-Amz-Expires"][0])


@pytest.mark.parametrize("lifetime", [30, 600, 36_000])
@pytest.mark.parametrize("variant", ["original", "w160.webp"])
def test_what_an_expiring_link_leads_to(
    image: dict[str, Any], configure: Configure, variant: str, lifetime: int
) -> None:
    configure(LINK_TTL_SECONDS="36000")
    link = sign(image["id"], variant, lifetime=lifetime)

    check(fetch(link), expires=int(parse_qs(urlsplit(link).query)["e"][0]))


@pytest.mark.parametrize("name", ["original", "thumbnail"])
def test_what_a_permanent_link_leads_to(image: dict[str, Any], name: str) -> None:
    urls = get(f"/api/images/{image['id']}", {"links": "permanent"}).image["urls"]

    check(fetch(urls[name]), expires=math.inf)


def check(found: Delivered, expires: float) -> None:
    """A minute after the link's last use, nobody can fetch the file, and no cache has it for others."""
    soon = time.time() + 60
    assert found.answer.headers["cache-control"] == ["no-store"]
    assert url_expiry(found.location) <= min(expires, soon)
    assert found.headers["Cache-Control"].startswith("private, ")
    assert time.time() + max_age(found.headers["Cache-Control"]) <= min(expires, soon) + 1


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
