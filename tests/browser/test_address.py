"""The URL keeps the filters and the open picture across "back" and a reload."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    service.clear()
    for number, title in enumerate(("Harbour", "Forest", "City")):
        category = "Green" if title == "Forest" else "Grey"
        tags = ["many", title.lower()]
        service.upload(jpeg(90, 60, seed=number), title=title, category=category, tags=tags)


def test_filters_are_there_again_after_back(gallery: Gallery) -> None:
    chosen = {"Category": "Grey", "Tags": "many", "Order": "title"}
    for name, value in chosen.items():
        gallery.box(name).select_option(value)
    expect(gallery.count).to_have_text("2 pictures")

    gallery.enter("/docs")
    gallery.page.go_back()

    expect(gallery.cards).to_have_text(["City", "Harbour"])
    for name, value in chosen.items():
        expect(gallery.box(name)).to_have_value(value)
        gallery.box(name).select_option("-created_at" if name == "Order" else "")
    expect(gallery.page).to_have_url(f"{gallery.service.base_url}/")


def test_search_is_there_again_after_a_reload(gallery: Gallery) -> None:
    gallery.page.get_by_role("searchbox").fill("harbour")
    expect(gallery.count).to_have_text("1 picture")

    gallery.page.reload()

    expect(gallery.page.get_by_role("searchbox")).to_have_value("harbour")
    expect(gallery.box("Order")).to_have_value("relevance")
    expect(gallery.cards).to_have_text(["Harbour"])


def test_order_that_is_shown_is_the_order_of_the_list(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/?sort=no+such+order&tags=gone")

    expect(gallery.heading("Nothing found")).to_be_visible()
    expect(gallery.box("Order")).to_have_value("-created_at")
    expect(gallery.box("Tags")).to_have_value("gone")


def test_filters_stay_while_a_picture_is_open(gallery: Gallery) -> None:
    gallery.box("Category").select_option("Grey")
    expect(gallery.count).to_have_text("2 pictures")

    detail = gallery.open("City")
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey#[0-9a-f-]+$"))
    gallery.press("ArrowRight")
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey#[0-9a-f-]+$"))
    gallery.press("Escape")
    expect(gallery.page).to_have_url(re.compile(r"/\?category=Grey$"))
    gallery.open("City").get_by_role("button", name="city", exact=True).click()

    expect(gallery.cards).to_have_text(["City"])
    expect(gallery.page).to_have_url(re.compile(r"/\?tags=city$"))


def test_address_names_the_picture(gallery: Gallery) -> None:
    detail = gallery.open("Harbour")

    gallery.page.reload()
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    gallery.press("Escape")
    expect(gallery.page).to_have_url(re.compile(r"/$"))
    gallery.open("Forest")
    gallery.page.go_back()
    expect(detail).to_be_hidden()
    expect(gallery.page).to_have_url(re.compile(r"/$"))


def test_picture_that_the_list_does_not_have_is_deleted(waiting: Gallery) -> None:
    nothing = {"images": (), "next_cursor": None, "total": {"value": 0, "relation": "exact"}}
    waiting.page.route("**/api/images?*", lambda route: route.fulfill(json=nothing))
    waiting.enter(f"/#{waiting.service.find('Harbour')}")
    expect(waiting.detail.get_by_role("heading", name="Harbour")).to_be_visible()

    with waiting.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        waiting.detail.get_by_role("button", name="Move to trash").click()

    expect(waiting.said).to_contain_text("Moved “Harbour” to the trash")
    assert waiting.service.count() == 2


@pytest.mark.parametrize("hash_", ["../../images/x", "no-such", "0/../../health", "%2e%2e/health"])
def test_hash_that_is_no_id_asks_for_nothing(hash_: str, waiting: Gallery) -> None:
    asked = waiting.watch("/")

    waiting.enter(f"/#{hash_}")

    expect(waiting.cards).to_have_count(3)
    expect(waiting.detail).to_be_hidden()
    assert not [one for one in asked if re.search(r"/images/x|/no-such|/health", one.url.partition("#")[0])]
