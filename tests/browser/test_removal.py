"""Deleting and undoing: by keyboard, without time pressure, and with correct counts."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    service.clear()
    for number in (1, 2, 3):
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", category="Sea")


def test_undo_waits_for_the_keyboard(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    undo = gallery.page.get_by_role("button", name="Undo")
    gallery.open("Picture 2").get_by_role("button", name="Delete").focus()
    gallery.page.keyboard.press("Enter")
    expect(undo).to_be_focused()

    gallery.page.clock.run_for(60_000)
    expect(undo).to_be_focused()
    assert service.count() == 3
    gallery.page.keyboard.press("Tab")
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.page.clock.run_for(2_000)

    expect(undo).to_be_hidden()
    assert service.count() == 2


def test_undo_waits_for_the_mouse(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    gallery.delete("Picture 2")
    gallery.page.locator(".toast").hover()

    gallery.page.clock.run_for(60_000)
    assert service.count() == 3
    gallery.page.get_by_role("button", name="Undo").click()

    expect(gallery.card("Picture 2")).to_be_focused()
    expect(gallery.count).to_have_text("3 pictures")


def test_focus_goes_where_something_is_left(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    for title in ("Picture 2", "Picture 1"):
        gallery.delete(title)

    gallery.page.clock.run_for(9_000)

    expect(gallery.page.locator(".toast")).to_have_count(0)
    expect(gallery.card("Picture 3")).to_be_focused()


def test_counts_leave_out_what_is_deleted(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(stopped_clock=True)
    order = gallery.page.get_by_role("combobox", name="Order")
    gallery.delete("Picture 2")
    expect(gallery.count).to_have_text("2 pictures")

    order.select_option("oldest")
    expect(gallery.cards).to_have_text(["Picture 1", "Picture 3"])
    expect(gallery.count).to_have_text("2 pictures")
    gallery.page.keyboard.press("Control+z")

    expect(gallery.cards).to_have_text(["Picture 1", "Picture 2", "Picture 3"])
    expect(gallery.count).to_have_text("3 pictures")


def test_only_picture_that_is_deleted_leaves_nothing(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(stopped_clock=True)
    gallery.delete("Picture 2")

    gallery.page.get_by_role("searchbox").fill("picture 2")
    gallery.page.clock.run_for(500)

    expect(gallery.page.get_by_role("heading", name="Nothing found")).to_be_visible()
    gallery.page.get_by_role("button", name="Undo").click()
    expect(gallery.cards).to_have_text(["Picture 2"])
    expect(gallery.count).to_have_text("1 picture")


def test_long_title_makes_no_tall_message(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(jpeg(120, 80, seed=9), title="W" * 200)
    gallery = open_gallery(viewport={"width": 390, "height": 844}, stopped_clock=True)
    gallery.delete("W" * 200)

    text = gallery.page.locator(".toast p")
    expect(text).to_be_visible()
    assert text.evaluate("(text) => text.clientHeight / parseFloat(getComputedStyle(text).lineHeight)") == 2
