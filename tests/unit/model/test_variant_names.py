"""Variant names, and the choice of a format by the Accept header."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import NotFoundError
from imageapi.model.variant_formats import MIME_TYPES, MOVING
from imageapi.model.variant_names import INTERMEDIATE, LINKED, ORIGINAL, WIDTHS, Variant, parse_variant

from tests import ROOT
from tests.support.openapi import parameters

PATTERN = parameters("get", "/api/images")["variants"]["schema"]["items"]["pattern"]
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("extension", MIME_TYPES)
def test_every_variant_is_read_back_from_its_name(width: int, cover: bool, extension: str) -> None:
    variant = Variant(width, cover, extension)

    assert variant.name == f"w{width}{'-cover' if cover else ''}.{extension}"
    assert parse_variant(variant.name, None) == parse_variant(variant.name, "image/avif") == variant
    assert re.fullmatch(PATTERN, variant.name)
    assert variant.mime_type == MIME_TYPES[extension]


@pytest.mark.parametrize("name", [name for name in LINKED.values() if name != ORIGINAL])
def test_the_links_of_an_image_leave_the_format_to_the_browser(name: str) -> None:
    assert parse_variant(name, "image/webp").extension == "webp"
    assert parse_variant(name, None).extension == "jpg"


@pytest.mark.parametrize(
    "name",
    [
        *("", "original", "w", "w0", "w1", "w0640", "w321", "w319", "w99999", "W320", "w320.png", "w320.JPG"),
        *("w320.", "w320-cover.", "w320-contain", "w320.jpg-cover", "w320.jpg\n", "w320\n", " w320"),
        "w３２０",
        *("w320/../original", "w320%00", "w-320", "w320.webp.jpg", "320", "w320-cover-cover", INTERMEDIATE),
    ],
)
def test_other_names_are_unknown(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        parse_variant(name, CHROME)
    assert caught.value.code == "variant_not_found"
    assert not re.fullmatch(PATTERN, name)


@pytest.mark.parametrize(
    ("extension", "headers"),
    [
        ("jpg", (None, "", "*/*", "image/*", "text/html,application/xhtml+xml", "image/jpeg", ",,;,")),
        ("jpg", ("image/webp;q=0", "image/webp; q=0.000, image/avif;q=0.0")),
        ("jpg", ("image/webp;v=1;q=0", "image/webpx")),
        ("webp", ("image/webp", "image/webp,*/*", "IMAGE/WEBP", " image/webp ;q=0.5 , image/jpeg;q=1")),
        ("webp", ("image/webp,image/avif;q=0", "image/webp;q=0.001")),
        ("avif", ("image/avif", CHROME)),
    ],
)
def test_accept_decides_the_format(extension: str, headers: tuple[str | None, ...]) -> None:
    for accept in headers:
        assert parse_variant("w320", accept) == Variant(320, False, extension), accept


@pytest.mark.parametrize(
    ("accept", "extension"),
    [(CHROME, "webp"), ("image/avif", "jpg"), ("IMAGE/AVIF,image/webp", "webp"), (None, "jpg")],
)
def test_accept_chooses_among_the_allowed_formats(accept: str | None, extension: str) -> None:
    assert parse_variant("w320", accept, MOVING).extension == extension
    assert parse_variant("w320.avif", accept, MOVING).extension == "avif"


@given(st.one_of(st.text(), st.from_regex(r"w[0-9]{1,5}(-cover)?(\.(webp|avif|jpg|png))?", fullmatch=True)))
def test_any_name_is_an_allowed_variant_or_unknown(name: str) -> None:
    try:
        variant = parse_variant(name, "image/webp")
    except NotFoundError:
        return
    assert variant.width in WIDTHS
    assert variant.name in (name, f"{name}.webp")


def test_where_else_a_width_is_named() -> None:
    variants = parameters("get", "/api/images")["variants"]["description"]
    assert tuple(map(int, re.findall(r"`w(\d+)`", variants))) == WIDTHS
    for document in ("README.md", "README.ja.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert re.search(rf"`w{WIDTHS[0]}`( to |〜)`w{WIDTHS[-1]}`", text), document
