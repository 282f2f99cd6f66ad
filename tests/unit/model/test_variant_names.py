"""Variant names, and the choice of a format by the Accept header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import NotFoundError
from imageapi.model.variant_formats import MIME_TYPES, MOVING, choose_format
from imageapi.model.variant_names import LINKED, ORIGINAL, WIDTHS, Variant, parse_variant

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("extension", MIME_TYPES)
def test_every_variant_is_read_back_from_its_name(width: int, cover: bool, extension: str) -> None:
    variant = Variant(width, cover, extension)

    assert parse_variant(variant.name, None) == variant
    assert parse_variant(variant.name, "image/avif") == variant
    assert variant.mime_type == MIME_TYPES[extension]


def test_names_are_what_the_documentation_says() -> None:
    assert Variant(320, False, "webp").name == "w320.webp"
    assert Variant(640, True, "jpg").name == "w640-cover.jpg"


@pytest.mark.parametrize("name", [name for name in LINKED.values() if name != ORIGINAL])
def test_the_links_of_an_image_name_variants_whose_format_is_left_to_the_browser(name: str) -> None:
    assert parse_variant(name, "image/webp").extension == "webp"
    assert parse_variant(name, None).extension == "jpg"


@pytest.mark.parametrize(
    "name",
    [
        *("", "original", "w", "w0", "w1", "w0640", "w321", "w319", "w99999", "W320", "w320.png", "w320.JPG"),
        *(
            "w320.",
            "w320-cover.",
            "w320-contain",
            "w320.jpg-cover",
            "w320.jpg\n",
            "w320\n",
            " w320",
            "w３２０",
        ),
        *("w320/../original", "w320%00", "w-320", "w320.webp.jpg", "320", "w320-cover-cover"),
    ],
)
def test_other_names_are_unknown(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        parse_variant(name, CHROME)
    assert caught.value.code == "variant_not_found"


@pytest.mark.parametrize(
    ("accept", "extension"),
    [
        (None, "jpg"),
        ("", "jpg"),
        ("*/*", "jpg"),
        ("image/*", "jpg"),
        ("text/html,application/xhtml+xml", "jpg"),
        ("image/jpeg", "jpg"),
        ("image/webp", "webp"),
        ("image/webp,*/*", "webp"),
        ("IMAGE/WEBP", "webp"),
        (" image/webp ;q=0.5 , image/jpeg;q=1", "webp"),
        ("image/avif", "avif"),
        (CHROME, "avif"),
        ("image/webp,image/avif;q=0", "webp"),
        ("image/webp;q=0", "jpg"),
        ("image/webp; q=0.000, image/avif;q=0.0", "jpg"),
        ("image/webp;q=0.001", "webp"),
        ("image/webp;v=1;q=0", "jpg"),
        ("image/webpx", "jpg"),
        (",,;,", "jpg"),
    ],
)
def test_accept_decides_the_format(accept: str | None, extension: str) -> None:
    assert choose_format(accept) == extension
    assert parse_variant("w320", accept) == Variant(320, False, extension)


@pytest.mark.parametrize(
    ("accept", "extension"),
    [(CHROME, "webp"), ("image/avif", "jpg"), ("IMAGE/AVIF,image/webp", "webp"), (None, "jpg")],
)
def test_accept_chooses_among_the_allowed_formats(accept: str | None, extension: str) -> None:
    assert parse_variant("w320", accept, MOVING).extension == extension
    assert parse_variant("w320.avif", accept, MOVING).extension == "avif"


@given(st.text())
def test_any_accept_header_gets_a_format(accept: str) -> None:
    assert choose_format(accept) in MIME_TYPES


@given(st.one_of(st.text(), st.from_regex(r"w[0-9]{1,5}(-cover)?(\.(webp|avif|jpg|png))?", fullmatch=True)))
def test_any_name_is_an_allowed_variant_or_unknown(name: str) -> None:
    try:
        variant = parse_variant(name, "image/webp")
    except NotFoundError:
        return
    assert variant.width in WIDTHS
    assert variant.name in (name, f"{name}.webp")
