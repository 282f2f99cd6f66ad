"""Batches that end after the view, the list or the selection has changed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows
from tests.browser.gallery import BATCH, Gallery, Service

pytestmark = pytest.mark.usefixtures("six_tagged")


def test_deletion_that_ends_after_the_view_has_changed(gallery: Gallery) -> None:
    held = gallery.hold(BATCH, most=1)
    gallery.pick("Picture 2", "Picture 4")
    gallery.act("Move to trash")
    gallery.wait_until(lambda: held)
    gallery.open_trash()
    expect(gallery.heading("The trash is empty")).to_be_visible()

    held[0].continue_()

    expect(gallery.cards).to_have_count(2)
    expect(gallery.heading("Trash")).to_be_focused()
    gallery.button("Undo").click()
    expect(gallery.said).to_have_text("Restored 2 pictures")
    expect(gallery.heading("The trash is empty")).to_be_visible()
    gallery.page.go_back()
    expect(gallery.count).to_have_text("6 pictures")


def test_restore_that_ends_after_the_view_has_changed(gallery: Gallery, service: Service) -> None:
    for number in (2, 4):
        service.trash(service.find(f"Picture {number}"))
    gallery.open_trash()
    expect(gallery.cards).to_have_count(2)
    held = gallery.hold(BATCH, most=1)
    gallery.press("Control+a")
    gallery.act("Restore")
    gallery.wait_until(lambda: held)
    gallery.page.go_back()
    expect(gallery.count).to_have_text("4 pictures")

    held[0].continue_()

    expect(gallery.count).to_have_text("6 pictures")


def test_change_that_ends_later_leaves_a_newer_selection(gallery: Gallery) -> None:
    held = gallery.hold(BATCH, most=1)
    gallery.pick("Picture 1")
    gallery.act("Set category")
    gallery.page.keyboard.type("Forest")
    gallery.press("Enter")
    gallery.wait_until(lambda: held)
    gallery.act("Clear selection")
    gallery.pick("Picture 3")

    held[0].continue_()

    expect(gallery.said).to_contain_text("Changed 1 picture")
    assert gallery.selected() == ["3"]


def test_pictures_that_leave_the_list_meanwhile_are_changed_and_changed_back(
    gallery: Gallery, service: Service
) -> None:
    before, lists = rows(service), "**/api/images?*"
    held = gallery.hold(lists, most=1)
    gallery.box("Category").select_option("Sea")
    gallery.wait_until(lambda: held)
    gallery.pick("Picture 6")
    gallery.act("Add tags")
    held[0].continue_()
    expect(gallery.cards).to_have_count(3)

    gallery.page.keyboard.type("new")
    gallery.press("Enter")

    expect(gallery.said).to_contain_text("Changed 1 picture")
    assert rows(service)["6"][1] == ["many", "even", "new"]
    gallery.press("Control+z")
    expect(gallery.said).to_have_text("Undid the change to 1 picture")
    assert rows(service) == before
