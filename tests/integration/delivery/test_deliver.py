"""Delivery: from a signed link to the bytes, all refused links, and the lifetime of each."""

import io
import math
import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from imageapi.config.settings import get_settings
from imageapi.decoder import client as decoder
from PIL import Image

from tests.integration.client import Json, get, send, upload
from tests.integration.lifecycle import HTTP, deliver_event, fetch, get_image, open_link, sign
from tests.integration.stores import Configure, Stores
from tests.support import pictures

PICTURE = pictures.jpeg(800, 600, orientation=6, gps=True)


@pytest.fixture
def image(stores: Stores) -> Json:
    return upload(PICTURE, {"title": "x"}, filename='夕焼け "1".jpg').image


def test_a_download_is_saved_under_its_name_but_not_as_what_it_is_not(image: Json) -> None:
    original, small = (
        fetch(image["urls"][name], "image/webp", download="true").headers["Content-Disposition"]
        for name in ("original", "thumbnail")
    )
    assert original.startswith("attachment; ")
    assert unquote(small).endswith('夕焼け "1".webp')
    for name, expected in (("invoice.hta", "invoice.gif"), ("x.GIF", "x.GIF"), ("noext", "noext.gif")):
        gif = upload(pictures.animation("GIF"), {}, filename=name).image
        found = fetch(gif["urls"]["original"], download="true")
        assert unquote(found.headers["Content-Disposition"]).endswith(f"''{expected}")


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("image/avif,image/webp,*/*;q=0.8", "avif"),
        ("image/avif;q=0,image/webp;q=0.1", "webp"),
        ("*/*", "jpeg"),
    ],
)
def test_a_browser_gets_a_format_that_it_knows(stores: Stores, image: Json, accept: str, format: str) -> None:
    found = fetch(image["urls"]["thumbnail"], accept)

    rendered = Image.open(io.BytesIO(found.data))
    assert (found.headers["Content-Type"], rendered.format) == (f"image/{format}", format.upper())
    assert rendered.size == (320, 240), "as displayed"
    assert not dict(rendered.getexif())
    name = f"w320.{format.replace('jpeg', 'jpg')}"
    assert stores.variants() == [(name, "ready")]
    assert stores.keys() == sorted([image["s3_key"], f"variants/{image['id']}/{name}"])
    expected = {"x-content-type-options": ["nosniff"], "referrer-policy": ["no-referrer"], "vary": ["Accept"]}
    assert found.answer.headers | expected == found.answer.headers


@pytest.mark.parametrize("variant", ["original", "w160.webp"])
def test_a_link_can_be_asked_about(image: Json, variant: str) -> None:
    """The signature of a URL covers one method, so the redirect of a HEAD request is signed for HEAD."""
    link = sign(image["id"], variant)
    size = len(fetch(link).data)

    answer = send(deliver_event(link) | {"httpMethod": "HEAD"})
    found = HTTP.request("HEAD", answer.headers["location"][0])

    assert (answer.status, found.status, int(found.headers["Content-Length"])) == (302, 200, size)
    assert answer.headers["cache-control"] == ["no-store"]


def test_keys_can_be_replaced_without_breaking_links(image: Json, configure: Configure) -> None:
    old = image["urls"]["original"]

    configure(SECRET_KEY=f"new, {get_settings().secret_keys[0]}")
    new = get_image(image["id"]).image["urls"]["original"]
    assert [fetch(url).data for url in (old, new)] == [PICTURE, PICTURE]

    configure(SECRET_KEY="new")
    assert open_link(old).code == "link_invalid"
    assert fetch(new).data == PICTURE


def test_an_animation_moves_where_the_client_leaves_the_choice(stores: Stores) -> None:
    image = upload(pictures.animation("GIF"), {}).image
    link = image["urls"]["thumbnail"]
    assert link.endswith("&m=1"), "CloudFront's function chooses the format by it"
    answer = open_link(link, "image/avif,image/webp,*/*")
    assert ".webp?" in answer.headers["location"][0]


def url_expiry(url: str) -> float:
    query = parse_qs(urlsplit(url).query)
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed.timestamp() + int(query["X-Amz-Expires"][0])


@pytest.mark.parametrize("lifetime", [30, 36_000, None])
@pytest.mark.parametrize("variant", ["original", "w160.webp"])
def test_nobody_can_fetch_a_file_a_minute_after_its_links_last_use(
    image: Json, configure: Configure, variant: str, lifetime: int | None
) -> None:
    """No cache may keep it for others. ``None`` is a permanent link."""
    configure(LINK_TTL_SECONDS="36000")
    if lifetime:
        link = sign(image["id"], variant, lifetime=lifetime)
    else:
        shown = get(f"/api/images/{image['id']}", {"links": "permanent", "variants": "w160.webp"}).image
        link = shown["urls"].get(variant, shown["variants"][0]["url"])
    (expires,) = map(float, parse_qs(urlsplit(link).query).get("e", [math.inf]))

    asked = time.time()
    found = fetch(link)

    end = min(expires, time.time() + 60)
    assert found.answer.headers["cache-control"] == ["no-store"]
    assert url_expiry(found.location) <= end
    header = found.headers["Cache-Control"]
    assert header.startswith("private, ")
    assert asked + int(header.partition("max-age=")[2].partition(",")[0]) <= end + 1


def test_a_url_that_took_long_to_make_does_not_outlive_the_link_either(image: Json) -> None:
    original = decoder.render

    def render_slowly(*args: Any) -> bytes:
        time.sleep(2.1)
        return original(*args)

    link = sign(image["id"], "w160.webp", lifetime=60)
    with patch.object(decoder, "render", render_slowly):
        location = fetch(link).location

    assert url_expiry(location) <= int(parse_qs(urlsplit(link).query)["e"][0])
