"""The URL keeps the filters and the open picture through "back" and a reload."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    service.clear()
    for number, title in enumerate(("Harbour", "Forest", "City")):
        category = "Green" if title == "Forest" else "Grey"
        service.upload(
            jpeg(90, 60, seed=number), title=title, category=category, tags=["many", title.lower()]
        )


def test_filters_are_there_again_after_back(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.get_by_role("combobox", name="Category").select_option("Grey")
    page.get_by_role("combobox", name="Tag").select_option("many")
    page.get_by_role("combobox", name="Order").select_option("title")
    expect(gallery.count).to_have_text("2 pictures")

    page.goto(f"{service.base_url}/docs")
    page.go_back()

    expect(gallery.cards).to_have_text(["City", "Harbour"])
    expect(page.get_by_role("combobox", name="Category")).to_have_value("Grey")
    expect(page.get_by_role("combobox", name="Tag")).to_have_value("many")
    expect(page.get_by_role("combobox", name="Order")).to_have_value("title")
    page.get_by_role("combobox", name="Category").select_option("")
    page.get_by_role("combobox", name="Tag").select_option("")
    page.get_by_role("combobox", name="Order").select_option("newest")
    expect(page).to_have_url(f"{service.base_url}/")


def test_search_is_there_again_after_a_reload(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.get_by_role("searchbox").fill("harbour")
    expect(gallery.count).to_have_text("1 picture")

    gallery.page.reload()

    expect(gallery.page.get_by_role("searchbox")).to_have_value("harbour")
    expect(gallery.page.get_by_role("combobox", name="Order")).to_have_value("relevance")
    expect(gallery.cards).to_have_text(["Harbour"])


def test_order_that_is_shown_is_the_order_of_the_list(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/?sort=no+such+order&tag=gone")

    expect(gallery.page.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(gallery.page.get_by_role("combobox", name="Order")).to_have_value("newest")
    expect(gallery.page.get_by_role("combobox", name="Tag")).to_have_value("gone")


def test_filters_stay_while_a_picture_is_open(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.get_by_role("combobox", name="Category").select_option("Grey")
    expect(gallery.count).to_have_text("2 pictures")

    detail = gallery.open("City")
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey#[0-9a-f-]+$"))
    gallery.page.keyboard.press("ArrowRight")
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey#[0-9a-f-]+$"))
    gallery.page.keyboard.press("Escape")
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey$"))
    gallery.open("City").get_by_role("button", name="city", exact=True).click()

    expect(gallery.cards).to_have_text(["City"])
    expect(gallery.page).to_have_url(re.compile(r"/\?tag=city$"))


def test_picture_that_the_list_does_not_have_is_deleted(open_gallery: OpenGallery, service: Service) -> None:
    found = service.query("SELECT id FROM image_metadata WHERE title = 'Harbour'")[0][0]
    gallery = open_gallery(path="/docs", stopped_clock=True)
    nothing: dict[str, Any] = {"images": [], "next_cursor": None, "total": {"value": 0, "relation": "exact"}}
    gallery.page.route("**/api/images?*", lambda route: route.fulfill(json=nothing))
    gallery.page.goto(f"{service.base_url}/#{found}")
    expect(gallery.detail.get_by_role("heading", name="Harbour")).to_be_visible()

    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.detail.get_by_role("button", name="Delete").click()

    expect(gallery.page.get_by_text("Moved “Harbour” to the trash").first).to_be_visible()
    assert service.count() == 2


@pytest.mark.parametrize("hash_", ["../../images/x", "no-such", "0/../../health", "%2e%2e/health"])
def test_hash_that_is_no_id_asks_for_nothing(hash_: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/docs")
    asked: list[str] = []
    gallery.page.on("request", lambda request: asked.append(request.url))

    gallery.page.goto(f"{gallery.page.url.removesuffix('docs')}#{hash_}")

    expect(gallery.cards).to_have_count(3)
    expect(gallery.detail).to_be_hidden()
    assert not [url for url in asked if "/images/x" in url or "no-such" in url or "health" in url]
