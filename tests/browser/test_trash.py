"""The view of the trash."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service


@pytest.fixture(autouse=True)
def four(service: Service) -> None:
    """Pictures 1 to 4. Pictures 1 to 3 are in the trash, and 3 was trashed first."""
    images = service.refill(*(f"Picture {number}" for number in range(1, 5)), category="Sea")
    for image in reversed(images[:3]):
        service.trash(image["id"])


def trashed(gallery: Gallery, number: int) -> Locator:
    return gallery.page.get_by_role("button", name=re.compile(f"^Picture {number}"))


def test_trash_shows_what_was_deleted_and_until_when(gallery: Gallery) -> None:
    expect(gallery.count).to_have_text("1 picture")

    gallery.open_trash()

    expect(gallery.page).to_have_url(re.compile("/#trash$"))
    expect(gallery.page.locator(".caption .title")).to_have_text(["Picture 1", "Picture 2", "Picture 3"])
    expect(gallery.count).to_have_text("3 pictures")
    expect(trashed(gallery, 1)).to_contain_text(
        re.compile(r"In the trash since .*Deleted permanently after ")
    )
    expect(trashed(gallery, 1)).to_have_css("background-image", re.compile("^url\\(.data:"))
    expect(gallery.page.get_by_role("searchbox")).to_be_hidden()
    expect(gallery.button("Upload")).to_be_hidden()
    expect(gallery.page.locator(".lost")).to_have_count(0)


def test_back_leads_to_the_gallery_with_its_filters(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/?category=Sea")
    back = gallery.button("Back to the gallery")
    for leave in (back.click, gallery.page.go_back):
        expect(gallery.count).to_have_text("1 picture")
        gallery.open_trash()
        expect(gallery.count).to_have_text("3 pictures")
        leave()
        expect(gallery.cards).to_have_text(["Picture 4"])
        expect(gallery.page).to_have_url(f"{service.base_url}/?category=Sea")
        expect(gallery.button("Trash")).to_be_focused()

    gallery.page.go_forward()
    expect(gallery.count).to_have_text("3 pictures")
    gallery.page.reload()
    expect(gallery.count).to_have_text("3 pictures")
    back.click()
    expect(gallery.cards).to_have_text(["Picture 4"])


def test_restore_several(gallery: Gallery) -> None:
    gallery.open_trash()
    trashed(gallery, 1).click()
    trashed(gallery, 3).click()
    expect(gallery.toolbar).to_contain_text("2 selected")
    gallery.act("Restore")

    expect(gallery.said).to_have_text("Restored 2 pictures")
    expect(gallery.page.locator(".caption:visible .title")).to_have_text(["Picture 2"])
    expect(gallery.count).to_have_text("1 picture")
    expect(trashed(gallery, 2)).to_be_focused()
    expect(gallery.toolbar).to_be_hidden()
    gallery.button("Back to the gallery").click()
    expect(gallery.cards).to_have_text(["Picture 4", "Picture 3", "Picture 1"])
    gallery.settle()
    expect(gallery.categories).to_have_text(["All categories", "Sea (3)"])


def test_delete_for_good_asks_first(gallery: Gallery, service: Service) -> None:
    gallery.open_trash()
    trashed(gallery, 1).focus()
    gallery.press("Control+a")
    dialog = gallery.dialog("Delete 3 pictures permanently?")

    gallery.act("Delete permanently")
    gallery.press("Enter")  # Cancel has the focus
    expect(dialog).to_be_hidden()
    assert service.count("trashed_images") == 3
    gallery.act("Delete permanently")
    dialog.get_by_role("button", name="Delete permanently").click()

    expect(gallery.said).to_have_text("Deleted 3 pictures permanently")
    expect(gallery.heading("The trash is empty")).to_be_visible()
    assert service.count("trashed_images") == 0
    expect(gallery.button("Undo")).to_have_count(0)
    gallery.page.locator("#empty-action").click()
    expect(gallery.cards).to_have_text(["Picture 4"])


def test_long_trash_is_loaded_on_scrolling(open_gallery: OpenGallery, service: Service) -> None:
    service.upload_many(90)
    for (image_id,) in service.query("SELECT id FROM image_metadata"):
        service.trash(image_id)
    gallery = open_gallery(path="/#trash", viewport={"width": 800, "height": 500})
    expect(gallery.count).to_have_text("At least 40 pictures")

    gallery.scroll_until(lambda: gallery.cards.count() == 90)

    expect(gallery.count).to_have_text("90 pictures")


def test_pictures_of_the_gallery_are_not_seen_in_a_trash_that_is_slow(gallery: Gallery) -> None:
    expect(gallery.cards).to_have_text(["Picture 4"])
    held = gallery.hold("**/api/trash?*")

    gallery.open_trash()

    expect(gallery.cards).to_have_count(0)
    expect(gallery.count).to_have_text("Loading…")
    held[0].continue_()
    expect(gallery.count).to_have_text("3 pictures")


def test_deletion_that_is_slow_appears_in_the_trash_until_it_is_undone(gallery: Gallery) -> None:
    held = gallery.hold("**/api/images/*", "DELETE")
    gallery.delete("Picture 4")
    gallery.open_trash()
    expect(gallery.count).to_have_text("3 pictures")

    held[0].continue_()
    expect(gallery.count).to_have_text("4 pictures")
    expect(trashed(gallery, 4)).to_be_visible()
    gallery.press("Control+z")

    expect(gallery.count).to_have_text("3 pictures")
    expect(trashed(gallery, 4)).to_have_count(0)


def test_picture_in_the_trash_that_is_opened_by_its_address(
    open_gallery: OpenGallery, service: Service
) -> None:
    ((image_id,),) = service.query("SELECT id FROM trashed_images LIMIT 1")
    gallery = open_gallery(path=f"/#{image_id}")

    expect(gallery.said).to_have_text("This picture is in the trash. Restore it first.")


def test_trash_says_for_how_long_it_keeps(waiting: Gallery) -> None:
    waiting.change_service(trash_days=7)
    waiting.enter("/#trash")

    expect(waiting.page.get_by_text("Pictures stay here for 7 days.")).to_be_visible()
