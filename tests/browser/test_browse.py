"""Browsing 1,000 pictures: paging, searching, filtering, and their cost."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service
from tests.support.pictures import jpeg

COUNT = 1_000
MAX_TRANSFERRED_BYTES = 250_000


@pytest.fixture(scope="module", autouse=True)
def thousand(service: Service) -> None:
    service.clear()
    service.upload_many(COUNT)


def scroll_to_end(gallery: Gallery) -> None:
    for _ in range(2_000):
        gallery.page.mouse.wheel(0, 3_000)
        gallery.page.wait_for_timeout(50)
        if gallery.page.locator(".grid.whole").count():
            return
    trouble = gallery.page.locator("#trouble").inner_text()
    pytest.fail(f"The end was not reached: {gallery.page.locator('.item').count()} pictures, {trouble!r}")


def test_paging_to_the_end(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    expect(gallery.count).to_have_text("1,000 pictures")

    scroll_to_end(gallery)

    expect(gallery.page.locator(".item")).to_have_count(COUNT)
    newest_first = "SELECT title FROM image_metadata ORDER BY created_at DESC, id DESC"
    assert gallery.titles() == [title for (title,) in gallery.service.query(newest_first)]


def test_first_view_is_small_and_loads_only_thumbnails_in_reach(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/openapi.json")
    session = gallery.page.context.new_cdp_session(gallery.page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    thumbnails: list[str] = []
    links = f"{gallery.service.base_url}/images/"
    gallery.page.on(
        "request", lambda request: thumbnails.append(request.url) if request.url.startswith(links) else None
    )

    gallery.page.goto(gallery.service.base_url)
    expect(gallery.count).to_have_text("1,000 pictures")
    gallery.settle()
    gallery.page.wait_for_load_state("networkidle")

    assert 0 < sum(received) < MAX_TRANSFERRED_BYTES
    shown = gallery.page.locator(".item").count()
    assert shown < 200
    assert 0 < len(thumbnails) <= shown
    assert gallery.page.locator(".item").last.evaluate("(item) => item.offsetTop") < 4 * 800


def test_search_as_one_types(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    asked = watch_lists(gallery.page)
    search = gallery.page.get_by_role("searchbox", name="Search")

    search.press_sequentially("picture 0042", delay=20)

    expect(gallery.count).to_have_text("1 picture")
    assert gallery.titles() == ["Picture 0042"]
    expect(gallery.said).to_have_text("1 picture")
    assert len(asked) < 6
    expect(gallery.page.get_by_label("Order")).to_have_value("relevance")

    search.fill("no such thing")
    expect(gallery.page.get_by_role("heading", name="Nothing found")).to_be_visible()
    gallery.page.get_by_role("button", name="Show all pictures").click()
    expect(gallery.count).to_have_text("1,000 pictures")
    expect(search).to_be_focused()
    expect(gallery.page.get_by_label("Order")).to_have_value("newest")


def test_answer_that_comes_too_late_is_not_shown(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    search = gallery.page.get_by_role("searchbox", name="Search")
    late: list[Route] = []
    gallery.page.route("**/api/images?q=picture+0001*", lambda route: late.append(route))

    search.fill("picture 0001")
    gallery.wait_until(lambda: late)
    search.fill("picture 0002")
    expect(gallery.count).to_have_text("1 picture")
    for route in late:
        route.continue_()
    gallery.page.wait_for_timeout(300)

    assert len(late) == 1
    expect(gallery.page.locator("#trouble")).to_be_hidden()
    assert gallery.titles() == ["Picture 0002"]


def test_category_tag_and_order(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    category, tag, order = (
        gallery.page.get_by_role("combobox", name=name) for name in ("Category", "Tag", "Order")
    )
    expect(category.locator("option")).to_have_text(
        ["All categories", "Forest (334)", "City (333)", "Sea (333)"]
    )

    category.select_option("Sea")
    expect(gallery.count).to_have_text("333 pictures")
    tag.select_option("even")
    expect(gallery.count).to_have_text("166 pictures")
    order.select_option("title")
    expect(gallery.page.locator(".item").first).to_have_text("Picture 0006")
    order.select_option("oldest")
    expect(gallery.page.locator(".item").first).to_have_text("Picture 0006")


TOO_MANY = {
    "error": {
        "code": "too_many_to_sort",
        "message": "More than 5,000 images match.",
        "details": {"max": 5_000, "sorts": ["newest", "oldest"]},
    }
}


def test_what_is_too_much_to_sort_comes_newest_first_and_says_so(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    too_many = re.compile(r"/api/images\?(?=.*tag=even)(?=.*sort=title)(?!.*category)")
    gallery.page.route(too_many, lambda route: route.fulfill(status=422, json=TOO_MANY))
    order = gallery.page.get_by_role("combobox", name="Order")

    order.select_option("title")
    expect(gallery.page.locator(".item").first).to_have_text("Picture 0001")
    gallery.page.get_by_role("combobox", name="Tag").select_option("even")

    expect(gallery.count).to_have_text(
        "500 pictures · Too many to sort this way (5,000 at most), so the newest come first."
    )
    newest = "SELECT title FROM image_metadata WHERE tags @> '{even}' ORDER BY id DESC LIMIT 1"
    expect(gallery.page.locator(".item").first).to_have_text(gallery.service.query(newest)[0][0])
    scroll_to_end(gallery)
    expect(gallery.page.locator(".item")).to_have_count(500)
    # With few enough matches, the chosen order applies.
    gallery.page.get_by_role("combobox", name="Category").select_option("Sea")
    expect(gallery.count).to_have_text("166 pictures")
    expect(gallery.page.locator(".item").first).to_have_text("Picture 0006")
    expect(order).to_have_value("title")


def watch_lists(page: Page) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    page.on(
        "request",
        lambda request: (
            asked.append(parse_qs(urlsplit(request.url).query)) if "/api/images?" in request.url else None
        ),
    )
    return asked


def test_expired_link_is_renewed(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs")
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if route.request.url in refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(
                status=403, content_type="application/json", body='{"error": {"code": "link_expired"}}'
            )

    gallery.page.route("**/images/*/w320?*", refuse_once)
    renewed: list[str] = []
    gallery.page.on(
        "request", lambda request: renewed.append(request.url) if "/api/images/" in request.url else None
    )
    gallery.page.goto(service.base_url)
    gallery.settle()

    assert len(renewed) >= 8
    assert gallery.page.locator(".lost").count() == 0


def test_a_picture_that_is_being_made_is_asked_for_again(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs", stopped_clock=True)
    path = re.compile(r"/images/[^/]+/w320\?")
    busy = {"error": {"code": "variant_pending", "message": "It is being made."}}
    gallery.page.route(path, lambda route: route.fulfill(status=503, json=busy))
    gallery.page.goto(service.base_url)
    gallery.page.wait_for_timeout(1_000)
    gallery.page.clock.run_for(3_000)

    gallery.page.unroute(path)
    gallery.page.clock.run_for(7_000)

    loaded = gallery.page.locator(".item img.loaded")
    gallery.wait_until(lambda: loaded.count() >= 8, meanwhile=lambda: gallery.page.clock.run_for(1_000))
    assert gallery.page.locator(".lost").count() == 0


def test_list_that_fails_can_be_asked_for_again(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs", stopped_clock=True)
    gallery.page.route("**/api/images?*", lambda route: route.abort())
    gallery.page.goto(service.base_url)
    trouble = gallery.page.get_by_role("alert").filter(has_text="The server cannot be reached.")
    gallery.wait_until(trouble.is_visible, meanwhile=lambda: gallery.page.clock.run_for(3_000))

    gallery.page.unroute("**/api/images?*")
    trouble.get_by_role("button", name="Try again").click()

    expect(gallery.count).to_have_text("1,000 pictures")
    expect(trouble).to_be_hidden()


def test_new_picture_comes_first(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    expect(gallery.count).to_have_text("1,000 pictures")

    gallery.upload({"brand new.jpg": jpeg(seed="new")})

    expect(gallery.page.locator(".item").first).to_have_text("brand new")
    image_id = gallery.page.locator(".item").first.get_attribute("data-id")
    service.api.request("DELETE", f"/api/images/{image_id}")
