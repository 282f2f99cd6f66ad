"""Deleting and undoing: by keyboard, without time pressure, with correct counts; errors of both."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import BROKEN, Service, change_answer, hold
from tests.support.pictures import jpeg

TRASHED = "SELECT count(*) FROM trashed_images"


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    service.clear()
    for number in (1, 2, 3):
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", category="Sea")


def test_picture_that_is_back_has_new_links(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.settle()
    gallery.delete("Picture 2")

    with gallery.page.expect_response(re.compile(r"/api/images/[0-9a-f-]+\?variants=")):
        gallery.page.get_by_role("button", name="Undo").click()

    detail = gallery.open("Picture 2")
    gallery.page.wait_for_function("() => document.getElementById('detail-image').naturalWidth > 0")
    with gallery.page.expect_download() as download:
        detail.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == jpeg(120, 80, seed=2)


def test_list_from_before_the_deletion_does_not_show_it(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    held = hold(gallery.page, "**/api/images/*", "DELETE")
    gallery.delete("Picture 2")

    gallery.page.get_by_role("combobox", name="Order").select_option("oldest")

    expect(gallery.cards).to_have_text(["Picture 1", "Picture 3"])
    expect(gallery.count).to_have_text("2 pictures")
    for route in held:
        route.continue_()
    gallery.wait_until(lambda: gallery.service.query(TRASHED) == [(1,)])
    expect(gallery.count).to_have_text("2 pictures")


def test_undo_before_the_server_has_deleted(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    held = hold(gallery.page, "**/api/images/*", "DELETE")
    gallery.delete("Picture 2")
    gallery.wait_until(lambda: held)

    gallery.page.get_by_role("button", name="Undo").click()
    held[0].continue_()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert service.count() == 3


def test_undo_that_fails_says_so_and_can_be_tried_again(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    gallery.page.route("**/restore", lambda route: route.fulfill(status=500, json=BROKEN))
    gallery.delete("Picture 2")

    gallery.page.keyboard.press("Control+z")
    expect(gallery.said).to_have_text("That could not be undone. Something went wrong on the server.")
    again = gallery.page.locator(".toast").get_by_role("button", name="Try again")
    expect(again).to_be_focused()
    expect(gallery.card("Picture 2")).to_be_hidden()
    gallery.page.unroute("**/restore")
    again.click()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert service.count() == 3


def test_undo_of_what_somebody_deleted_for_good_says_so(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.delete("Picture 2")
    service.query("DELETE FROM trashed_images")

    gallery.page.get_by_role("button", name="Undo").click()

    expect(gallery.said).to_have_text("That could not be undone. This picture is no longer there.")


def test_undo_whose_answer_was_lost_is_done(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    answers: list[int] = []

    def lose_first(route: Route) -> None:
        answers.append(route.fetch().status)
        if len(answers) == 1:
            route.abort()
        else:
            route.continue_()

    gallery.page.route("**/restore", lose_first)
    gallery.delete("Picture 2")
    gallery.page.get_by_role("button", name="Undo").click()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert answers == [200, 409]
    assert service.count() == 3


def test_server_without_a_trash_deletes_for_good_once_confirmed(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(path="/docs")
    change_answer(gallery.page, "**/api/keys/self", data={"trash_days": 0})
    gallery.page.goto(service.base_url)
    dialog = gallery.page.get_by_role("dialog", name="Delete 1 picture for good?")

    gallery.open("Picture 2").get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(gallery.card("Picture 2")).to_be_focused()
    assert service.count() == 3
    gallery.open("Picture 2").get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete for good").click()

    expect(gallery.said).to_have_text("Deleted “Picture 2” for good")
    expect(gallery.page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(gallery.card("Picture 1")).to_be_focused()
    gallery.wait_until(lambda: service.count() == 2)
