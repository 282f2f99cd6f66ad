"""What the page offers is what the key may do."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, BROKEN, Gallery, Service, change_answer, drop_files
from tests.support.pictures import jpeg, jpeg_of_size

READ, WRITE, DELETE = "images:read", "images:write", "images:delete"


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.clear()
    for number in (1, 2):
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}")


def buttons(gallery: Gallery) -> list[Locator]:
    """Of the list, for keys that may change something."""
    names = ("Upload", "Select")
    return [gallery.page.get_by_role("button", name=name, exact=True) for name in names]


def use_key(gallery: Gallery, key: str) -> None:
    gallery.page.get_by_role("button", name="Key", exact=True).click()
    gallery.page.get_by_label("API key", exact=True).fill(key)
    gallery.page.keyboard.press("Enter")


def test_key_that_only_reads_is_offered_only_that(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(key=service.make_key(READ))
    page = gallery.page
    gallery.settle()
    expect(page.locator("html")).to_have_attribute("data-may", "read")

    for button in buttons(gallery):
        expect(button).to_be_hidden()
    gallery.card("Picture 1").hover()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    gallery.card("Picture 1").focus()
    for press in ("x", "Control+a", "Shift+ArrowLeft"):
        page.keyboard.press(press)
    expect(page.get_by_role("toolbar")).to_be_hidden()
    detail = gallery.open("Picture 1")
    expect(detail.get_by_role("button", name="Copy link")).to_be_visible()
    for name in ("Edit", "Delete"):
        expect(detail.get_by_role("button", name=name)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(gallery.detail).to_be_hidden()
    for event in ("drop", "paste"):
        drop_files(page, event, {"dropped.jpg": jpeg(seed=event)})
    page.wait_for_timeout(300)
    expect(gallery.uploads).to_be_hidden()
    assert service.count() == 2


def test_empty_gallery_does_not_invite_to_upload_with_a_key_that_reads(
    open_gallery: OpenGallery, service: Service
) -> None:
    service.clear()
    gallery = open_gallery(key=service.make_key(READ))

    expect(gallery.page.get_by_text("This key may look at pictures, but not add any.")).to_be_visible()
    expect(gallery.page.locator("#empty-action")).to_be_hidden()


@pytest.mark.parametrize(("scopes", "can_purge"), [((READ, WRITE), False), ((READ, WRITE, DELETE), True)])
def test_deleting_for_good_needs_its_own_scope(
    scopes: tuple[str, ...], can_purge: bool, open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(key=service.make_key(*scopes))
    gallery.delete("Picture 1")
    gallery.page.get_by_role("button", name="Trash", exact=True).click()

    gallery.page.get_by_role("button", name=re.compile("^Picture 1")).click()

    toolbar = gallery.page.get_by_role("toolbar", name="Selected pictures")
    expect(toolbar.get_by_role("button", name="Restore")).to_be_visible()
    expect(toolbar.get_by_role("button", name="Delete for good")).to_be_visible(visible=can_purge)


@pytest.mark.parametrize(("scopes", "can_delete"), [((READ, WRITE), False), ((READ, DELETE), True)])
def test_deleting_without_a_trash_is_for_good(
    scopes: tuple[str, ...], can_delete: bool, open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(path="/docs", key=service.make_key(*scopes))
    change_answer(gallery.page, "**/api/keys/self", data={"trash_days": 0})
    gallery.page.goto(service.base_url)

    detail = gallery.open("Picture 1")

    expect(detail.get_by_role("button", name="Edit")).to_be_visible(visible=not can_delete)
    expect(detail.get_by_role("button", name="Delete")).to_be_visible(visible=can_delete)


def test_key_that_may_not_look_says_so_and_can_be_changed(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(key=service.make_key(WRITE))
    trouble = gallery.page.get_by_role("alert").filter(has_text="This key may not see pictures.")
    expect(trouble).to_be_visible()
    expect(buttons(gallery)[0]).to_be_visible()

    trouble.get_by_role("button", name="Use another key").click()
    gallery.page.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.keyboard.press("Enter")

    expect(gallery.count).to_have_text("2 pictures")
    expect(trouble).to_be_hidden()
    expect(gallery.page.locator("#category option").first).to_have_text("All categories")


def test_key_that_may_not_look_uploads_small_and_large_files(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(key=service.make_key(WRITE))
    expect(buttons(gallery)[0]).to_be_visible()

    gallery.upload({"small.jpg": jpeg(seed="small"), "large.jpg": jpeg_of_size(4_400_001)})

    for name in ("small.jpg", "large.jpg"):
        expect(gallery.line(name)).to_contain_text("Done")
    assert service.count() == 4
    expect(
        gallery.page.get_by_role("alert").filter(has_text="This key may not see pictures.")
    ).to_be_visible()


def test_key_that_is_suspended_says_so_and_can_be_changed(
    open_gallery: OpenGallery, service: Service
) -> None:
    key = service.make_key(READ)
    service.query("UPDATE api_keys SET suspended_at = now() RETURNING id")
    gallery = open_gallery(key=key)

    trouble = gallery.page.get_by_role("alert").filter(has_text="the database was restored")
    expect(trouble.get_by_role("button", name="Use another key")).to_be_visible()


def test_another_key_changes_what_is_offered(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    for button in buttons(gallery):
        expect(button).to_be_visible()

    use_key(gallery, service.make_key(READ))
    for button in buttons(gallery):
        expect(button).to_be_hidden()
    use_key(gallery, API_KEY)

    for button in buttons(gallery):
        expect(button).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", "This key may not add or change pictures."),
        ("ja-JP", "このキーでは画像を追加・変更できません。"),
    ],
)
def test_refusal_for_a_scope_is_explained(
    locale: str, said: str, open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(locale=locale)
    gallery.settle()
    # The key lost its scope after the page had asked: a key that is replaced while the page is open.
    refused = {"error": {"code": "scope_missing", "message": "…", "details": {"scope": WRITE}}}
    gallery.page.route(
        "**/api/images/*",
        lambda route: (
            route.fulfill(status=403, json=refused) if route.request.method == "DELETE" else route.continue_()
        ),
    )
    gallery.card("Picture 1").click()

    gallery.page.locator("#delete").click()

    expect(gallery.said).to_contain_text(said)
    expect(gallery.card("Picture 1")).to_be_visible()


def test_page_that_does_not_know_what_the_key_may_do_offers_to_ask_again(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery(path="/docs")
    gallery.page.route("**/api/keys/self", lambda route: route.fulfill(status=500, json=BROKEN))
    gallery.page.goto(service.base_url)
    gallery.settle()
    for button in buttons(gallery):
        expect(button).to_be_hidden()

    gallery.page.unroute("**/api/keys/self")
    gallery.page.locator(".toast").get_by_role("button", name="Try again").click()

    for button in buttons(gallery):
        expect(button).to_be_visible()
