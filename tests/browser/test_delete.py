"""Deleting and undoing by keyboard, without a time limit, with correct counts, and with errors."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    service.refill("Picture 1", "Picture 2", "Picture 3", category="Sea")


def test_undo_is_offered_as_long_as_it_has_the_focus(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    undo = gallery.button("Undo")
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.delete("Picture 2")

    assert (service.count(), service.count("trashed_images")) == (2, 1)
    expect(gallery.count).to_have_text("2 pictures")
    expect(undo).to_be_focused()
    gallery.page.clock.run_for(7_000)
    expect(undo).to_be_visible()
    gallery.press("Tab")
    gallery.page.clock.run_for(2_000)
    expect(undo).to_be_hidden()


def test_undo(gallery: Gallery) -> None:
    gallery.settle()
    gallery.delete("Picture 2")

    with gallery.page.expect_response(re.compile(r"/api/images/[0-9a-f-]+\?variants=")):
        gallery.button("Undo").click()

    expect(gallery.card("Picture 2")).to_be_focused()
    expect(gallery.count).to_have_text("3 pictures")
    assert gallery.service.count() == 3
    # A restored picture has new links.
    detail = gallery.open("Picture 2")
    gallery.page.wait_for_function("() => document.getElementById('detail-image').naturalWidth > 0")
    with gallery.page.expect_download() as download:
        detail.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == jpeg(120, 80, seed=2)


def test_deletion_that_fails_brings_the_picture_back(gallery: Gallery) -> None:
    gallery.fail("**/api/images/*", "DELETE")

    gallery.open("Picture 2").get_by_role("button", name="Move to trash").click()

    expect(gallery.said).to_contain_text("“Picture 2” was not deleted.")
    expect(gallery.card("Picture 2")).to_be_visible()
    expect(gallery.count).to_have_text("3 pictures")
    expect(gallery.button("Undo")).to_be_hidden()


def test_list_from_before_the_deletion_does_not_show_it(gallery: Gallery) -> None:
    held = gallery.hold("**/api/images/*", "DELETE")
    gallery.delete("Picture 2")

    gallery.box("Order").select_option("created_at")

    expect(gallery.cards).to_have_text(["Picture 1", "Picture 3"])
    expect(gallery.count).to_have_text("2 pictures")
    held[0].continue_()
    gallery.wait_until(lambda: gallery.service.count("trashed_images") == 1)
    expect(gallery.count).to_have_text("2 pictures")


def test_undo_before_the_server_has_deleted(gallery: Gallery) -> None:
    held = gallery.hold("**/api/images/*", "DELETE")
    gallery.delete("Picture 2")
    gallery.wait_until(lambda: held)

    gallery.button("Undo").click()
    held[0].continue_()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert gallery.service.count() == 3


def test_undo_that_fails_says_so_and_can_be_tried_again(gallery: Gallery) -> None:
    gallery.fail("**/restore")
    gallery.delete("Picture 2")

    gallery.press("Control+z")
    expect(gallery.said).to_contain_text("The change was not undone.")
    again = gallery.toast.get_by_role("button", name="Try again")
    expect(again).to_be_focused()
    expect(gallery.card("Picture 2")).to_be_hidden()
    gallery.page.unroute("**/restore")
    again.click()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert gallery.service.count() == 3


def test_undo_of_what_somebody_deleted_for_good_says_so(gallery: Gallery) -> None:
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.delete("Picture 2")
    gallery.service.query("DELETE FROM trashed_images")

    gallery.button("Undo").click()

    expect(gallery.said).to_have_text("The change was not undone. This picture no longer exists.")


def test_undo_whose_answer_was_lost_is_done(gallery: Gallery) -> None:
    answers: list[int] = []

    def lose_first(route: Route) -> None:
        answers.append(route.fetch().status)
        if len(answers) == 1:
            route.abort()
        else:
            route.continue_()

    gallery.page.route("**/restore", lose_first)
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        gallery.delete("Picture 2")
    gallery.button("Undo").click()

    expect(gallery.card("Picture 2")).to_be_focused()
    assert answers == [200, 409]
    assert gallery.service.count() == 3


def test_server_without_a_trash_deletes_for_good_once_confirmed(waiting: Gallery) -> None:
    waiting.change_service(trash_days=0)
    waiting.enter()
    dialog = waiting.dialog("Delete 1 picture permanently?")

    waiting.open("Picture 2").get_by_role("button", name="Delete permanently").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(waiting.card("Picture 2")).to_be_focused()
    assert waiting.service.count() == 3
    waiting.open("Picture 2").get_by_role("button", name="Delete permanently").click()
    dialog.get_by_role("button", name="Delete permanently").click()

    expect(waiting.said).to_have_text("Deleted “Picture 2” permanently")
    expect(waiting.button("Undo")).to_have_count(0)
    expect(waiting.card("Picture 1")).to_be_focused()
    waiting.wait_until(lambda: waiting.service.count() == 2)
