"""The page offers only the actions that the key may use."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Gallery, Service
from tests.support.pictures import jpeg, jpeg_of_size

READ, WRITE, DELETE = "images:read", "images:write", "images:delete"
MAY_NOT_LOOK = "This key cannot view pictures."


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.refill("Picture 1", "Picture 2")


def expect_to_change(gallery: Gallery, *, visible: bool) -> None:
    """Expect the actions that change pictures to be visible or not."""
    for name in ("Upload", "Select"):
        expect(gallery.button(name)).to_be_visible(visible=visible)


def test_key_that_only_reads_is_offered_only_that(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(scopes=[READ])
    page = gallery.page
    gallery.settle()
    expect(page.locator("html")).to_have_attribute("data-may", "read")

    expect_to_change(gallery, visible=False)
    gallery.card("Picture 1").hover()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    gallery.card("Picture 1").focus()
    for key in ("x", "Control+a", "Shift+ArrowLeft"):
        gallery.press(key)
    expect(gallery.toolbar).to_be_hidden()
    detail = gallery.open("Picture 1")
    expect(detail.get_by_role("button", name="Copy link")).to_be_visible()
    for name in ("Edit", "Move to trash"):
        expect(detail.get_by_role("button", name=name)).to_be_hidden()
    gallery.press("Escape")
    expect(gallery.detail).to_be_hidden()
    for event in ("drop", "paste"):
        gallery.drop(event, {"dropped.jpg": jpeg(seed=event)})
    page.wait_for_timeout(300)
    expect(gallery.uploads).to_be_hidden()
    assert gallery.service.count() == 2


def test_empty_gallery_does_not_invite_to_upload_with_a_key_that_reads(
    open_gallery: OpenGallery, service: Service
) -> None:
    service.clear()
    gallery = open_gallery(scopes=[READ])

    expect(gallery.page.get_by_text("This key can view pictures, but it cannot add any.")).to_be_visible()
    expect(gallery.page.locator("#empty-action")).to_be_hidden()


@pytest.mark.parametrize(("scopes", "can_purge"), [((READ, WRITE), False), ((READ, WRITE, DELETE), True)])
def test_deleting_for_good_needs_its_own_scope(
    scopes: tuple[str, ...], can_purge: bool, open_gallery: OpenGallery
) -> None:
    gallery = open_gallery(scopes=scopes)
    gallery.delete("Picture 1")
    gallery.open_trash()

    gallery.page.get_by_role("button", name=re.compile("^Picture 1")).click()

    expect(gallery.toolbar.get_by_role("button", name="Restore")).to_be_visible()
    expect(gallery.toolbar.get_by_role("button", name="Delete permanently")).to_be_visible(visible=can_purge)


@pytest.mark.parametrize(("scopes", "can_delete"), [((READ, WRITE), False), ((READ, DELETE), True)])
def test_deleting_without_a_trash_is_for_good(
    scopes: tuple[str, ...], can_delete: bool, open_gallery: OpenGallery
) -> None:
    gallery = open_gallery(path="/health", scopes=scopes)
    gallery.change_service(trash_days=0)
    gallery.enter()

    detail = gallery.open("Picture 1")

    expect(detail.get_by_role("button", name="Edit")).to_be_visible(visible=not can_delete)
    expect(detail.get_by_role("button", name="Delete permanently")).to_be_visible(visible=can_delete)


@pytest.mark.parametrize(
    ("scope", "suspended", "problem"),
    [(WRITE, "NULL", MAY_NOT_LOOK), (READ, "now()", "the database was restored")],
    ids=["scope", "suspended"],
)
def test_key_that_shows_nothing_says_why_and_can_be_changed(
    scope: str, suspended: str, problem: str, open_gallery: OpenGallery, service: Service
) -> None:
    key = service.make_key(scope)
    service.query(f"UPDATE api_keys SET suspended_at = {suspended}")
    gallery = open_gallery(key=key)
    trouble = gallery.alert(problem)

    trouble.get_by_role("button", name="Use another key").click()
    gallery.use_key(API_KEY)

    expect(gallery.count).to_have_text("2 pictures")
    expect(trouble).to_be_hidden()
    expect(gallery.categories.first).to_have_text("All categories")


def test_key_that_may_not_look_uploads_small_and_large_files(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(scopes=[WRITE])
    expect(gallery.button("Upload")).to_be_visible()

    gallery.upload({"small.jpg": jpeg(seed="small"), "large.jpg": jpeg_of_size(4_400_001)})

    for name in ("small.jpg", "large.jpg"):
        expect(gallery.line(name)).to_contain_text("Done")
    assert gallery.service.count() == 4
    expect(gallery.alert(MAY_NOT_LOOK)).to_be_visible()


def test_another_key_changes_what_is_offered(gallery: Gallery) -> None:
    expect_to_change(gallery, visible=True)
    for key, visible in [(gallery.service.make_key(READ), False), (API_KEY, True)]:
        gallery.button("API key").click()
        gallery.use_key(key)

        expect_to_change(gallery, visible=visible)


def test_page_that_does_not_know_what_the_key_may_do_offers_to_ask_again(waiting: Gallery) -> None:
    waiting.fail("**/api/keys/self")
    waiting.enter()
    waiting.settle()
    expect_to_change(waiting, visible=False)

    waiting.page.unroute("**/api/keys/self")
    waiting.toast.get_by_role("button", name="Try again").click()

    expect_to_change(waiting, visible=True)
