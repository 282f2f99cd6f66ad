"""The view of the trash."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import BROKEN, Gallery, Service, change_answer, hold
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def four(service: Service) -> None:
    """Picture 1 to 4; 1 to 3 are in the trash, the last one was trashed first."""
    service.clear()
    images = [
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", category="Sea")
        for number in range(1, 5)
    ]
    for image in reversed(images[:3]):
        delete(service, image)


def delete(service: Service, image: dict[str, Any]) -> None:
    assert service.api.request("DELETE", f"/api/images/{image['id']}").status == 204


def open_trash(gallery: Gallery) -> Locator:
    """Open the view, and return its toolbar."""
    gallery.page.get_by_role("button", name="Trash", exact=True).click()
    expect(gallery.page.get_by_role("heading", name="Trash", exact=True)).to_be_focused()
    return gallery.page.get_by_role("toolbar", name="Selected pictures")


def trashed(gallery: Gallery, number: int) -> Locator:
    return gallery.page.get_by_role("button", name=re.compile(f"^Picture {number}"))


def test_trash_shows_what_was_deleted_and_until_when(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    expect(gallery.count).to_have_text("1 picture")

    open_trash(gallery)

    expect(gallery.page).to_have_url(re.compile("/#trash$"))
    expect(gallery.page.locator(".caption .title")).to_have_text(["Picture 1", "Picture 2", "Picture 3"])
    expect(gallery.count).to_have_text("3 pictures")
    expect(trashed(gallery, 1)).to_contain_text(re.compile(r"Deleted .*Gone for good after "))
    expect(trashed(gallery, 1)).to_have_css("background-image", re.compile("^url\\(.data:"))
    expect(gallery.page.get_by_role("searchbox")).to_be_hidden()
    expect(gallery.page.get_by_role("button", name="Upload")).to_be_hidden()
    expect(gallery.page.locator(".lost")).to_have_count(0)


def test_back_leads_to_the_gallery_with_its_filters(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/?category=Sea")
    for leave in ("button", "back"):
        expect(gallery.count).to_have_text("1 picture")
        open_trash(gallery)
        expect(gallery.count).to_have_text("3 pictures")
        if leave == "button":
            gallery.page.get_by_role("button", name="Back to the gallery").click()
        else:
            gallery.page.go_back()
        expect(gallery.cards).to_have_text(["Picture 4"])
        expect(gallery.page).to_have_url(f"{service.base_url}/?category=Sea")
        expect(gallery.page.get_by_role("button", name="Trash", exact=True)).to_be_focused()

    gallery.page.go_forward()
    expect(gallery.count).to_have_text("3 pictures")
    gallery.page.reload()
    expect(gallery.count).to_have_text("3 pictures")
    gallery.page.get_by_role("button", name="Back to the gallery").click()
    expect(gallery.cards).to_have_text(["Picture 4"])


def test_restore_several(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    toolbar = open_trash(gallery)

    trashed(gallery, 1).click()
    trashed(gallery, 3).click()
    expect(toolbar).to_contain_text("2 selected")
    toolbar.get_by_role("button", name="Restore").click()

    expect(gallery.said).to_have_text("2 pictures are back")
    expect(gallery.page.locator(".caption:visible .title")).to_have_text(["Picture 2"])
    expect(gallery.count).to_have_text("1 picture")
    expect(trashed(gallery, 2)).to_be_focused()
    expect(toolbar).to_be_hidden()
    gallery.page.get_by_role("button", name="Back to the gallery").click()
    expect(gallery.cards).to_have_text(["Picture 4", "Picture 3", "Picture 1"])
    gallery.settle()
    expect(gallery.page.locator("#category option")).to_have_text(["All categories", "Sea (3)"])


def test_delete_for_good_asks_first(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    toolbar = open_trash(gallery)
    trashed(gallery, 1).focus()
    gallery.page.keyboard.press("Control+a")
    dialog = gallery.page.get_by_role("dialog", name="Delete 3 pictures for good?")

    toolbar.get_by_role("button", name="Delete for good").click()
    gallery.page.keyboard.press("Enter")  # Cancel has the focus
    expect(dialog).to_be_hidden()
    assert service.query("SELECT count(*) FROM trashed_images") == [(3,)]
    toolbar.get_by_role("button", name="Delete for good").click()
    dialog.get_by_role("button", name="Delete for good").click()

    expect(gallery.said).to_have_text("3 pictures deleted for good")
    expect(gallery.page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert service.query("SELECT count(*) FROM trashed_images") == [(0,)]
    expect(gallery.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_empty_trash_says_so(open_gallery: OpenGallery, service: Service) -> None:
    service.clear()
    gallery = open_gallery()
    open_trash(gallery)

    expect(gallery.page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    gallery.page.locator("#empty-action").click()

    expect(gallery.page.get_by_role("heading", name="No pictures yet")).to_be_visible()


def test_long_trash_is_loaded_on_scrolling(open_gallery: OpenGallery, service: Service) -> None:
    service.clear()
    service.upload_many(90)
    for image_id, *_ in service.query("SELECT id FROM image_metadata"):
        delete(service, {"id": image_id})
    gallery = open_gallery(path="/#trash", viewport={"width": 800, "height": 500})
    expect(gallery.count).to_have_text("More than 40 pictures")

    gallery.wait_until(
        lambda: gallery.cards.count() == 90,
        meanwhile=lambda: gallery.page.evaluate("scrollTo(0, document.body.scrollHeight)"),
    )

    expect(gallery.count).to_have_text("90 pictures")


def test_pictures_of_the_gallery_are_not_seen_in_a_trash_that_is_slow(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    expect(gallery.cards).to_have_text(["Picture 4"])
    held = hold(gallery.page, "**/api/images?trashed=*")

    open_trash(gallery)

    expect(gallery.cards).to_have_count(0)
    expect(gallery.count).to_have_text("Loading…")
    held[0].continue_()
    expect(gallery.count).to_have_text("3 pictures")


def test_trash_that_cannot_be_loaded_says_so(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.route("**/api/images?trashed=*", lambda route: route.fulfill(status=500, json=BROKEN))
    open_trash(gallery)
    trouble = gallery.page.get_by_role("alert").filter(has_text="Something went wrong on the server.")
    expect(trouble).to_be_visible()

    gallery.page.unroute("**/api/images?trashed=*")
    trouble.get_by_role("button", name="Try again").click()

    expect(gallery.count).to_have_text("3 pictures")


def test_undo_of_a_deletion_takes_it_out_of_the_trash(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.delete("Picture 4")
    open_trash(gallery)
    expect(gallery.count).to_have_text("4 pictures")

    gallery.page.keyboard.press("Control+z")

    expect(gallery.count).to_have_text("3 pictures")
    expect(trashed(gallery, 4)).to_have_count(0)


def test_deletion_that_is_slow_appears_in_the_trash_once_it_is_done(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    held = hold(gallery.page, "**/api/images/*", "DELETE")
    gallery.delete("Picture 4")
    open_trash(gallery)
    expect(gallery.count).to_have_text("3 pictures")

    held[0].continue_()

    expect(gallery.count).to_have_text("4 pictures")
    expect(trashed(gallery, 4)).to_be_visible()


def test_picture_in_the_trash_that_is_opened_by_its_address(
    open_gallery: OpenGallery, service: Service
) -> None:
    image_id = service.query("SELECT id FROM trashed_images LIMIT 1")[0][0]
    gallery = open_gallery(path=f"/#{image_id}")

    expect(gallery.said).to_have_text("This picture is in the trash.")


def test_trash_says_for_how_long_it_keeps(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs")
    change_answer(gallery.page, "**/api/keys/self", data={"trash_days": 7})
    gallery.page.goto(f"{service.base_url}/#trash")

    expect(gallery.page.get_by_text("Kept for 7 days. Select pictures to restore them.")).to_be_visible()
