"""Delivery: from a signed link to the bytes, and all refused links."""

import io
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from imageapi.config.settings import get_settings
from PIL import Image

from tests.integration.client import get, send, upload
from tests.integration.lifecycle import (
    HTTP,
    deliver_event,
    fetch,
    get_image,
    open_link,
    patch_image,
    sign,
)
from tests.integration.stores import Configure, Stores
from tests.support import pictures

PICTURE = pictures.jpeg(800, 600, orientation=6, gps=True)


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    """An existing image."""
    return upload(PICTURE, {"title": "x"}, filename='夕焼け "1".jpg').image


def test_the_original_is_what_was_uploaded(image: dict[str, Any]) -> None:
    found = fetch(image["urls"]["original"])

    assert (found.status, found.data) == (200, PICTURE)
    assert found.headers["Content-Type"] == "image/jpeg"
    disposition = found.headers["Content-Disposition"]
    assert disposition.startswith('inline; filename="___ _1_.jpg"; ')
    assert unquote(disposition.partition("filename*=UTF-8''")[2]) == '夕焼け "1".jpg'


def test_a_download_is_saved_under_its_name(image: dict[str, Any]) -> None:
    assert (
        fetch(image["urls"]["original"], download="1")
        .headers["Content-Disposition"]
        .startswith("attachment; ")
    )
    small = fetch(image["urls"]["thumbnail"], "image/webp", download="1")
    assert unquote(small.headers["Content-Disposition"]).endswith('夕焼け "1".webp')


def test_a_file_is_not_saved_as_what_it_is_not(stores: Stores) -> None:
    """A GIF whose name says that it is a program."""
    for name, expected in (("invoice.hta", "invoice.gif"), ("x.GIF", "x.GIF"), ("noext", "noext.gif")):
        image = upload(pictures.animation("GIF"), {}, filename=name).image
        found = fetch(image["urls"]["original"], download="1")
        assert unquote(found.headers["Content-Disposition"]).endswith(f"''{expected}")


def test_the_redirect_needs_no_key_and_is_safe(image: dict[str, Any]) -> None:
    answer = open_link(image["urls"]["thumbnail"])

    assert answer.status == 302
    assert answer.headers["x-content-type-options"] == ["nosniff"]
    assert answer.headers["referrer-policy"] == ["no-referrer"]
    assert answer.headers["vary"] == ["Accept"]
    assert answer.body is None


@pytest.mark.parametrize(
    ("accept", "format", "mime_type"),
    [
        ("image/avif,image/webp,*/*;q=0.8", "AVIF", "image/avif"),
        ("image/webp,*/*", "WEBP", "image/webp"),
        ("*/*", "JPEG", "image/jpeg"),
        ("image/avif;q=0,image/webp;q=0.1", "WEBP", "image/webp"),
    ],
)
def test_the_browser_gets_a_format_that_it_knows(
    stores: Stores, image: dict[str, Any], accept: str, format: str, mime_type: str
) -> None:
    found = fetch(image["urls"]["thumbnail"], accept)

    rendered = Image.open(io.BytesIO(found.data))
    assert (found.status, found.headers["Content-Type"], rendered.format) == (200, mime_type, format)
    assert (image["width"], image["height"]) == (800, 600)  # as displayed
    assert rendered.size == (320, 240)
    assert not dict(rendered.getexif())
    (variant,) = stores.execute("SELECT * FROM image_variants")
    assert variant["status"] == "ready"
    assert stores.keys() == sorted([image["s3_key"], f"variants/{image['id']}/{variant['name']}"])


@pytest.mark.parametrize(
    ("variant", "format", "size"),
    [
        ("w160", "WEBP", (160, 120)),
        ("w160.jpg", "JPEG", (160, 120)),
        ("w640-cover.avif", "AVIF", (600, 600)),
        ("w1920.webp", "WEBP", (800, 600)),
    ],
)
def test_a_variant_by_its_name(
    image: dict[str, Any], variant: str, format: str, size: tuple[int, int]
) -> None:
    found = fetch(sign(image["id"], variant), "image/webp")

    rendered = Image.open(io.BytesIO(found.data))
    assert (rendered.format, rendered.size) == (format, size)


@pytest.mark.parametrize("variant", ["w321", "w320.png", "w320-contain", "Original", "x", "original.jpg"])
def test_a_variant_that_nobody_may_have(stores: Stores, image: dict[str, Any], variant: str) -> None:
    answer = open_link(sign(image["id"], variant))

    assert (answer.status, answer.code) == (404, "variant_not_found")
    assert stores.keys() == [image["s3_key"]]


@pytest.mark.parametrize("variant", ["original", "w160.webp"])
def test_a_link_can_be_asked_about(image: dict[str, Any], variant: str) -> None:
    """A URL's signature covers one method: for HEAD, the redirect is signed for HEAD."""
    link = sign(image["id"], variant)
    size = len(fetch(link).data)

    answer = send(deliver_event(link) | {"httpMethod": "HEAD"})
    found = HTTP.request("HEAD", answer.headers["location"][0])

    assert (answer.status, found.status, int(found.headers["Content-Length"])) == (302, 200, size)
    assert answer.headers["cache-control"] == ["no-store"]


def test_a_presigned_url_cannot_be_altered(image: dict[str, Any], stores: Stores) -> None:
    other = upload(pictures.png()).image
    url = open_link(image["urls"]["original"]).headers["location"][0]

    assert HTTP.request("GET", url).status == 200
    for changed in (
        url.replace(image["s3_key"], other["s3_key"]),
        url.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        url.replace("image%2Fjpeg", "text%2Fhtml"),
        url.partition("?")[0],
    ):
        assert changed != url
        assert HTTP.request("GET", changed).status == 403


def test_keys_can_be_replaced_without_breaking_links(image: dict[str, Any], configure: Configure) -> None:
    old = image["urls"]["original"]

    configure(SECRET_KEY=f"new, {get_settings().secret_keys[0]}")
    new = get_image(image["id"]).image["urls"]["original"]
    assert urlsplit(new).path == urlsplit(old).path
    assert [fetch(url).data for url in (old, new)] == [PICTURE, PICTURE]

    configure(SECRET_KEY="new")
    assert open_link(old).code == "link_invalid"
    assert fetch(new).data == PICTURE
    # A list has links with the new signature.
    listed = get("/api/images").body["images"][0]
    assert fetch(listed["urls"]["original"]).data == PICTURE

    configure(SECRET_KEY=None)
    answer = open_link(new)
    assert (answer.status, answer.code) == (503, "service_misconfigured")


def test_a_link_survives_a_change_of_the_metadata(image: dict[str, Any]) -> None:
    patch_image(image["id"], {"title": "new"})

    assert fetch(image["urls"]["original"]).data == PICTURE


def test_a_parameter_twice_is_refused(image: dict[str, Any]) -> None:
    event = deliver_event(image["urls"]["original"])
    event["multiValueQueryStringParameters"]["s"] *= 2

    answer = send(event)

    assert (answer.status, answer.code) == (400, "parameter_repeated")


def test_an_animation_moves_where_the_client_leaves_the_choice(stores: Stores) -> None:
    image = upload(pictures.animation("GIF"), {}).image
    answer = open_link(image["urls"]["thumbnail"], "image/avif,image/webp,*/*")
    assert ".webp?" in answer.headers["location"][0]
