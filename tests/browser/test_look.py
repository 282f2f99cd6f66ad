"""Thumbnails for each screen, animated pictures, right-to-left text."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service
from tests.support.pictures import animation, jpeg


@pytest.fixture(autouse=True)
def empty(service: Service) -> None:
    service.clear()


@pytest.mark.parametrize(("density", "wide", "square"), [(1, "w640", "w320"), (2, "w640", "w640")])
def test_thumbnails_have_the_pixels_that_the_screen_has(
    density: int, wide: str, square: str, open_gallery: OpenGallery, service: Service
) -> None:
    for title, data in {
        "Wide": jpeg(1_600, 800),
        "Square": jpeg(800, 800),
        "Small": jpeg(300, 200),
        "Moving": animation("GIF", width=640, height=480),
        **{f"Other {number}": jpeg(120, 80, seed=number) for number in range(8)},
    }.items():
        service.upload(data, title=title)
    gallery = open_gallery(device_scale_factor=density, viewport={"width": 1100, "height": 900})
    gallery.settle()

    def variant(title: str) -> str:
        source: str = gallery.card(title).locator("img").evaluate("(image) => image.currentSrc")
        return source.partition("?")[0].rpartition("/")[2]

    expected = {"Wide": wide, "Square": square, "Small": "w320", "Moving": "w320"}
    # The page loads a picture again after renewing its link, so this takes a while.
    gallery.wait_until(lambda: {title: variant(title) for title in expected} == expected)


def test_text_runs_in_its_own_direction(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(jpeg(seed=1), title="תמונה של ים!", description="صورة البحر!")
    gallery = open_gallery()

    detail = gallery.open("תמונה של ים!")
    for text in (gallery.page.locator(".caption .title"), detail.locator("#detail-description")):
        expect(text).to_have_css("direction", "rtl")
    gallery.edit()
    expect(detail.get_by_label("Title")).to_have_css("direction", "rtl")
    expect(detail.get_by_label("Category")).to_have_css("direction", "ltr")


@pytest.mark.parametrize("options", [{}, {"reduced_motion": "reduce"}], ids=["any", "reduced"])
def test_animation_stands_still_where_movement_is_not_wanted(
    options: dict[str, Any], open_gallery: OpenGallery, service: Service
) -> None:
    service.upload(animation("GIF"), "moving.gif", title="Moving")
    gallery = open_gallery(**options)
    pictures = gallery.page.locator(".card img"), gallery.page.locator("#detail-image")
    still = re.compile(r"\.jpg\?" if options else r"w\d+\?")

    gallery.settle()
    gallery.open("Moving")

    for picture in pictures:
        expect(picture).to_have_attribute("src", still)
        gallery.page.wait_for_function("(image) => image.naturalWidth > 0", arg=picture.element_handle())
    gallery.edit(Title="Renamed")
    gallery.save()
    expect(gallery.detail.get_by_role("heading", name="Renamed")).to_be_visible()
    for picture in pictures:
        expect(picture).to_have_attribute("src", still)
