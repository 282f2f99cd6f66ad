"""Browsing 1,000 pictures: paging, searching, filtering, and their cost."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import THUMBNAILS, Gallery, Service

COUNT = 1_000


@pytest.fixture(scope="module", autouse=True)
def thousand(service: Service) -> None:
    service.upload_many(COUNT)


def scroll_to_end(gallery: Gallery) -> None:
    for _ in range(2_000):
        gallery.page.mouse.wheel(0, 3_000)
        gallery.page.wait_for_timeout(50)
        if gallery.page.locator(".grid.whole").count():
            return
    trouble = gallery.page.locator("#trouble").inner_text()
    pytest.fail(f"The end was not reached: {gallery.page.locator('.item').count()} pictures, {trouble!r}")


def test_paging_to_the_end(gallery: Gallery) -> None:
    expect(gallery.count).to_have_text("1,000 pictures")

    scroll_to_end(gallery)

    newest_first = "SELECT title FROM image_metadata ORDER BY created_at DESC, id DESC"
    assert gallery.titles() == [title for (title,) in gallery.service.query(newest_first)]


def test_first_view_is_small_and_loads_only_thumbnails_in_reach(waiting: Gallery) -> None:
    session = waiting.page.context.new_cdp_session(waiting.page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    thumbnails = waiting.watch(f"{waiting.service.base_url}/images/")

    waiting.enter()
    expect(waiting.count).to_have_text("1,000 pictures")
    waiting.settle()
    waiting.page.wait_for_load_state("networkidle")

    assert 0 < sum(received) < 250_000
    assert 0 < len(thumbnails) <= waiting.page.locator(".item").count() < 200


def test_search_as_one_types(gallery: Gallery) -> None:
    asked = gallery.watch("/api/images?")
    search = gallery.page.get_by_role("searchbox", name="Search")

    search.press_sequentially("picture 0042", delay=20)

    expect(gallery.count).to_have_text("1 picture")
    assert gallery.titles() == ["Picture 0042"]
    expect(gallery.said).to_have_text("1 picture")
    assert len(asked) < 6
    expect(gallery.box("Order")).to_have_value("relevance")

    search.fill("no such thing")
    expect(gallery.heading("Nothing found")).to_be_visible()
    gallery.button("Show all pictures").click()
    expect(gallery.count).to_have_text("1,000 pictures")
    expect(search).to_be_focused()
    expect(gallery.box("Order")).to_have_value("-created_at")


def test_answer_that_comes_too_late_is_not_shown(gallery: Gallery) -> None:
    search = gallery.page.get_by_role("searchbox", name="Search")
    late = gallery.hold("**/api/images?q=picture+0001*")

    search.fill("picture 0001")
    gallery.wait_until(lambda: late)
    search.fill("picture 0002")
    expect(gallery.count).to_have_text("1 picture")
    late[0].continue_()
    gallery.page.wait_for_timeout(300)

    assert len(late) == 1
    expect(gallery.page.locator("#trouble")).to_be_hidden()
    assert gallery.titles() == ["Picture 0002"]


def test_category_tag_and_order(gallery: Gallery) -> None:
    expect(gallery.categories).to_have_text(["All categories", "Forest (334)", "City (333)", "Sea (333)"])

    gallery.box("Category").select_option("Sea")
    expect(gallery.count).to_have_text("333 pictures")
    gallery.box("Tags").select_option("even")
    expect(gallery.count).to_have_text("166 pictures")
    for order in ("title", "created_at"):
        gallery.box("Order").select_option(order)
        expect(gallery.cards.first).to_have_text("Picture 0006")


def test_what_is_too_much_to_sort_comes_newest_first_and_says_so(gallery: Gallery) -> None:
    too_many = re.compile(r"/api/images\?(?=.*tags=even)(?=.*sort=title)(?!.*category)")
    details = {"max": 5_000, "sorts": ["-created_at", "created_at"]}
    gallery.fail(too_many, status=422, code="too_many_to_sort", details=details)

    gallery.box("Order").select_option("title")
    expect(gallery.cards.first).to_have_text("Picture 0001")
    gallery.box("Tags").select_option("even")

    expect(gallery.count).to_have_text(re.compile(r"500 pictures · This order works for up to 5,000"))
    newest = "SELECT title FROM image_metadata WHERE tags @> '{even}' ORDER BY id DESC LIMIT 1"
    expect(gallery.cards.first).to_have_text(gallery.service.query(newest)[0][0])
    scroll_to_end(gallery)
    expect(gallery.page.locator(".item")).to_have_count(500)
    # If there are few enough matches, the chosen order applies.
    gallery.box("Category").select_option("Sea")
    expect(gallery.count).to_have_text("166 pictures")
    expect(gallery.cards.first).to_have_text("Picture 0006")
    expect(gallery.box("Order")).to_have_value("title")


def test_expired_link_is_renewed(waiting: Gallery) -> None:
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if route.request.url in refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=403, json={"error": {"code": "link_expired"}})

    waiting.page.route(THUMBNAILS, refuse_once)
    renewed = waiting.watch("/api/images/")
    waiting.enter()
    waiting.settle()

    assert len(renewed) >= 8
    assert waiting.page.locator(".lost").count() == 0


def test_a_picture_that_is_being_made_is_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/health", stopped_clock=True)
    gallery.fail(THUMBNAILS, status=503, code="variant_pending")
    gallery.enter()
    gallery.page.wait_for_timeout(1_000)
    gallery.page.clock.run_for(3_000)

    gallery.page.unroute(THUMBNAILS)
    gallery.page.clock.run_for(7_000)

    loaded = gallery.page.locator(".item img.loaded")
    gallery.wait_until(lambda: loaded.count() >= 8, meanwhile=lambda: gallery.page.clock.run_for(1_000))
    assert gallery.page.locator(".lost").count() == 0
