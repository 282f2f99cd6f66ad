"""Appearance: tablets and low screens, transparent and animated pictures, right-to-left text."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service
from tests.support.pictures import animation, encode, jpeg, quadrants

LUMINANCE = """([selector, property]) => {
    const color = getComputedStyle(document.querySelector(selector))[property];
    if (color === "rgba(0, 0, 0, 0)") return NaN;
    const [r, g, b] = color.match(/\\d+/g).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.fixture(autouse=True)
def empty(service: Service) -> None:
    service.clear()


@pytest.mark.parametrize("locale", ["en-GB", "ja-JP"])
@pytest.mark.parametrize("size", [(1024, 768), (834, 1112), (1180, 820), (1190, 560), (1440, 900)])
def test_header_is_even_and_hides_no_picture(
    size: tuple[int, int], locale: str, open_gallery: OpenGallery, service: Service
) -> None:
    service.upload_many(40)
    gallery = open_gallery(viewport={"width": size[0], "height": size[1]}, locale=locale)
    gallery.settle()
    fields = gallery.page.locator("#filters .field")
    assert len({field.bounding_box()["y"] for field in fields.all()}) == 1  # type: ignore[index]
    gallery.cards.last.scroll_into_view_if_needed()
    gallery.cards.last.focus()

    for _ in range(40):
        gallery.page.keyboard.press("ArrowUp")
        header, card = (
            gallery.page.evaluate(f"{element}.getBoundingClientRect().toJSON()")
            for element in ("document.querySelector('.bar')", "document.activeElement")
        )
        assert card["top"] >= header["bottom"]


def test_rows_are_full_on_a_phone(open_gallery: OpenGallery, service: Service) -> None:
    for number, width in enumerate((220, 220, 60, 220, 90, 220, 100, 220)):
        service.upload(jpeg(width, 100, seed=number))
    gallery = open_gallery(viewport={"width": 390, "height": 844})
    gallery.settle()

    boxes = gallery.page.locator(".item").evaluate_all(
        "(items) => items.map((i) => i.getBoundingClientRect())"
    )
    right_edges = {box["top"]: round(box["right"]) for box in boxes}
    *full, _ = right_edges.values()
    assert set(full) == {374}


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_fields_have_borders_that_can_be_seen(color_scheme: str, open_gallery: OpenGallery) -> None:
    page = open_gallery(color_scheme=color_scheme).page

    def contrast(*colors: tuple[str, str]) -> float:
        low, high = sorted(page.evaluate(LUMINANCE, color) for color in colors)
        return float((high + 0.05) / (low + 0.05))

    for field in ("#q", "#sort", "#key-input", "#edit-description"):
        surface = "body" if field in ("#q", "#sort") else "#detail"
        for background in (field, surface):
            assert contrast((field, "borderTopColor"), (background, "backgroundColor")) >= 3


def test_placeholder_does_not_show_through(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(encode(quadrants(mode="RGBA"), "PNG"), "clear.png", title="Clear")
    gallery = open_gallery()
    gallery.settle()

    expect(gallery.card("Clear")).to_have_css("background-image", "none")
    gallery.open("Clear")
    expect(gallery.page.locator("#detail-image")).to_have_css("background-image", "none")


@pytest.mark.parametrize(("density", "wide", "square"), [(1, "w640", "w320"), (2, "w640", "w640")])
def test_thumbnails_have_the_pixels_that_the_screen_has(
    density: int, wide: str, square: str, open_gallery: OpenGallery, service: Service
) -> None:
    service.upload(jpeg(1_600, 800), "wide.jpg", title="Wide")
    service.upload(jpeg(800, 800), "square.jpg", title="Square")
    service.upload(jpeg(300, 200), "small.jpg", title="Small")
    service.upload(animation("GIF", width=640, height=480), "moving.gif", title="Moving")
    for number in range(8):
        service.upload(jpeg(120, 80, seed=number))
    gallery = open_gallery(device_scale_factor=density, viewport={"width": 1100, "height": 900})
    gallery.settle()

    def variant(title: str) -> str:
        source: str = gallery.card(title).locator("img").evaluate("(image) => image.currentSrc")
        return source.partition("?")[0].rpartition("/")[2]

    titles = ("Wide", "Square", "Small", "Moving")
    # Not at once: a picture whose link was renewed is loaded again.
    gallery.wait_until(lambda: [variant(title) for title in titles] == [wide, square, "w320", "w320"])


def test_text_runs_in_its_own_direction(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(jpeg(seed=1), title="תמונה של ים!", description="صورة البحر!")
    gallery = open_gallery()

    expect(gallery.page.locator(".caption .title")).to_have_css("direction", "rtl")
    detail = gallery.open("תמונה של ים!")
    expect(detail.get_by_role("heading")).to_have_css("direction", "rtl")
    expect(detail.locator("#detail-description")).to_have_css("direction", "rtl")
    detail.get_by_role("button", name="Edit").click()
    for label in ("Title", "Description"):
        expect(detail.get_by_label(label)).to_have_css("direction", "rtl")
    expect(detail.get_by_label("Category")).to_have_css("direction", "ltr")


@pytest.mark.parametrize("options", [{}, {"reduced_motion": "reduce"}], ids=["any", "reduced"])
def test_animation_stands_still_where_movement_is_not_wanted(
    options: dict[str, Any], open_gallery: OpenGallery, service: Service
) -> None:
    service.upload(animation("GIF"), "moving.gif", title="Moving")
    gallery = open_gallery(**options)
    pictures = gallery.page.locator(".card img"), gallery.page.locator("#detail-image")

    gallery.settle()
    gallery.open("Moving")

    still = r"\.jpg\?" if options else r"w\d+\?"
    for picture in pictures:
        expect(picture).to_have_attribute("src", re.compile(still))
        gallery.page.wait_for_function("(image) => image.naturalWidth > 0", arg=picture.element_handle())
    gallery.detail.get_by_role("button", name="Edit").click()
    gallery.detail.get_by_label("Title").fill("Renamed")
    gallery.detail.get_by_role("button", name="Save").click()
    expect(gallery.detail.get_by_role("heading", name="Renamed")).to_be_visible()
    for picture in pictures:
        expect(picture).to_have_attribute("src", re.compile(still))
