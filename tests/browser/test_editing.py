"""Edits to a picture stay until they are saved or discarded."""

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import BROKEN, Gallery, Service, hold
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.clear()
    service.upload(jpeg(120, 80, seed=1), title="Harbour")
    service.upload(jpeg(120, 80, seed=2), title="Forest", description="Some trees.")


def start_editing(gallery: Gallery, title: str) -> Locator:
    detail = gallery.open(title)
    detail.get_by_role("button", name="Edit").click()
    expect(detail.get_by_label("Title")).to_be_focused()
    return detail


def save_slowly(gallery: Gallery) -> Route:
    """Press Save and hold its request; later requests pass."""
    held = hold(gallery.page, "**/api/images/*", "PATCH", most=1)
    with gallery.page.expect_request(lambda request: request.method == "PATCH"):
        gallery.detail.get_by_role("button", name="Save").click()
    gallery.wait_until(lambda: held)
    return held[0]


def test_late_answer_leaves_the_next_picture_alone(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    start_editing(gallery, "Forest").get_by_label("Title").fill("Saved late")
    held = save_slowly(gallery)
    gallery.page.keyboard.press("Escape")
    gallery.page.keyboard.press("Escape")
    expect(gallery.detail).to_be_hidden()
    detail = start_editing(gallery, "Harbour")
    detail.get_by_label("Title").fill("Being typed")

    held.continue_()

    expect(gallery.page.locator(".item .caption")).to_have_text(["Saved late", "Harbour"])
    expect(detail.get_by_label("Title")).to_have_value("Being typed")
    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_role("heading", name="Being typed")).to_be_visible()
    assert service.query("SELECT count(*) FROM image_metadata WHERE title = 'Saved late'") == [(1,)]


def test_late_refusal_is_told_elsewhere(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    start_editing(gallery, "Forest").get_by_label("Title").fill("Refused late")
    held = save_slowly(gallery)
    gallery.detail.get_by_role("button", name="Close").click()
    detail = gallery.open("Harbour")

    held.fulfill(status=500, json=BROKEN)

    expect(gallery.page.locator(".toast")).to_contain_text("“Refused late” was not saved.")
    expect(detail.get_by_role("status")).to_have_text("")


def test_escape_leaves_the_form_and_then_the_picture(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = start_editing(gallery, "Forest")

    gallery.page.keyboard.press("Escape")
    expect(detail.get_by_role("button", name="Edit")).to_be_focused()
    expect(detail).to_contain_text("Some trees.")
    gallery.page.keyboard.press("Escape")

    expect(gallery.card("Forest")).to_be_focused()


def test_conflict_in_a_picture_that_the_list_does_not_have(
    open_gallery: OpenGallery, service: Service
) -> None:
    found = service.query("SELECT id FROM image_metadata WHERE title = 'Forest'")[0][0]
    gallery = open_gallery(path=f"/?category=none#{found}")
    detail = gallery.detail
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine")
    service.query("UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = 'Forest'")

    detail.get_by_role("button", name="Save").click()

    expect(detail.get_by_text("Someone else changed this picture. Save replaces")).to_be_visible()


def test_conflict_whose_other_side_cannot_be_read_is_told(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    gallery.page.route(
        "**/api/images/*",
        lambda route: (
            route.fulfill(status=500, json=BROKEN)
            if route.request.method == "GET" and gallery.page.locator("#edit-form").is_visible()
            else route.continue_()
        ),
    )
    with gallery.page.expect_response(lambda answer: "/api/images/" in answer.url):
        gallery.open("Forest")
    detail = gallery.detail
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine")
    service.query("UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = 'Forest'")

    detail.get_by_role("button", name="Save").click()
    told = "Someone else changed this picture. Something went wrong on the server."
    expect(detail.get_by_text(told)).to_be_visible()
    gallery.page.unroute("**/api/images/*")
    detail.get_by_role("button", name="Save").click()

    expect(detail.get_by_text("Someone else changed this picture. Save replaces")).to_be_visible()
    expect(detail.get_by_label("Title")).to_have_value("Mine")
