"""One picture: view, edit, share, download, delete and undo."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service
from tests.support.pictures import camera_jpeg, jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    """Three pictures; the first is the oldest, so it is listed last."""
    service.clear()
    service.upload(
        camera_jpeg(),
        "harbour.jpg",
        title="Harbour",
        description="Before sunrise.",
        tags=["boats", "morning"],
    )
    service.upload(jpeg(120, 80, seed=2), title="Forest", category="Green", tags=["boats"])
    service.upload(jpeg(60, 90, seed=3), title="<b>City</b> & sea")


def test_what_is_known_of_a_picture(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()

    detail = gallery.open("Harbour")

    expect(detail.get_by_role("img", name="Before sunrise.")).to_be_visible()
    for text in (
        "Before sunrise.",
        "Canon EOS R6",
        "RF50mm F1.8 STM",
        "1/250 s",
        "ƒ/2.8",
        "50 mm",
        "harbour.jpg",
        "64 × 48",
    ):
        expect(detail).to_contain_text(text)
    expect(detail.get_by_role("list", name="Tags").get_by_role("button")).to_have_text(["boats", "morning"])
    gallery.page.wait_for_function("() => document.getElementById('detail-image').naturalWidth > 0")


def test_text_is_never_markup(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()

    detail = gallery.open("<b>City</b> & sea")

    assert detail.locator("b").count() == 0


def test_edit(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")

    detail.get_by_role("button", name="Edit").click()
    expect(detail.get_by_label("Title")).to_be_focused()
    detail.get_by_label("Title").fill("静かな森")
    detail.get_by_label("Description").fill("One line\nand another")
    detail.get_by_label("Category").fill("Wood")
    detail.get_by_label("Tags, separated by commas").fill("mist, 木、 mist,")
    detail.get_by_role("button", name="Save").click()

    expect(detail.get_by_role("status")).to_have_text("Saved")
    expect(detail.get_by_role("heading", name="静かな森")).to_be_visible()
    expect(detail.get_by_role("button", name="Edit")).to_be_focused()
    expect(gallery.page.locator("#category option")).to_have_text(["All categories", "Wood (1)"])
    row = service.query(
        "SELECT title, description, category, tags FROM image_metadata WHERE category = 'Wood'"
    )
    assert row == [("静かな森", "One line\nand another", "Wood", ["mist", "木"])]
    gallery.page.keyboard.press("Escape")
    expect(gallery.card("静かな森")).to_be_focused()


def test_edit_that_the_server_refuses(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Tags, separated by commas").fill("x" * 65)

    detail.get_by_role("button", name="Save").click()

    problem = detail.get_by_text("A tag can have 64 characters at most.")
    expect(problem).to_be_in_viewport()
    expect(detail.get_by_label("Title")).to_be_visible()
    detail.get_by_label("Tags, separated by commas").fill("x," * 33)
    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_text("There can be 32 tags at most.")).to_be_visible()


def test_edit_while_someone_else_does_too(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")
    with gallery.page.expect_response(lambda answer: "/api/images/" in answer.url):
        gallery.page.reload()
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine")
    service.query("UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = 'Forest'")

    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_text("Someone else changed this picture. Save replaces")).to_be_visible()
    expect(detail.get_by_label("Title")).to_have_value("Mine")
    assert service.query("SELECT count(*) FROM image_metadata WHERE title = 'Theirs'") == [(1,)]
    detail.get_by_role("button", name="Cancel").click()
    expect(detail.get_by_role("heading", name="Theirs")).to_be_visible()

    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine after all")
    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_role("heading", name="Mine after all")).to_be_visible()


def test_delete(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    with gallery.page.expect_response(lambda answer: answer.request.method == "DELETE") as answer:
        gallery.delete("Forest")

    assert answer.value.status == 204
    assert service.count() == 2
    assert service.query("SELECT count(*) FROM trashed_images") == [(1,)]
    expect(gallery.count).to_have_text("2 pictures")
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_focused()
    gallery.page.clock.run_for(7_000)
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_visible()
    gallery.page.keyboard.press("Tab")
    gallery.page.clock.run_for(2_000)
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_hidden()


@pytest.mark.parametrize("way", ["button", "keyboard"])
def test_undo(way: str, open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    gallery.delete("Forest")

    if way == "button":
        gallery.page.get_by_role("button", name="Undo").click()
    else:
        gallery.page.keyboard.press("Control+z")

    expect(gallery.card("Forest")).to_be_focused()
    expect(gallery.count).to_have_text("3 pictures")
    gallery.page.clock.run_for(60_000)
    gallery.page.reload()
    expect(gallery.cards).to_have_count(3)
    assert service.count() == 3


def test_deletion_that_fails_brings_the_picture_back(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(stopped_clock=True)
    body = '{"error": {"code": "internal_error", "message": "…"}}'

    def fail(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=500, content_type="application/json", body=body)
        else:
            route.continue_()

    gallery.page.route("**/api/images/*", fail)
    gallery.open("Forest").get_by_role("button", name="Delete").click()

    expect(gallery.card("Forest")).to_be_visible()
    expect(gallery.count).to_have_text("3 pictures")
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_hidden()
    expect(
        gallery.page.get_by_text("“Forest” was not deleted. Something went wrong on the server.").first
    ).to_be_visible()


def test_copy_link(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(permissions=["clipboard-read", "clipboard-write"])
    detail = gallery.open("Harbour")

    detail.get_by_role("button", name="Copy link").click()

    expect(detail.get_by_role("status")).to_contain_text("Link copied. It works until")
    link = gallery.page.evaluate("navigator.clipboard.readText()")
    copy = Image.open(BytesIO(gallery.page.request.get(link).body()))
    assert copy.size == (64, 48)
    assert not copy.getexif()
    assert Image.open(BytesIO(camera_jpeg())).getexif()


def test_download_original(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Harbour")

    with gallery.page.expect_download() as download:
        detail.get_by_role("link", name="Download").click()

    assert download.value.suggested_filename == "harbour.jpg"
    assert download.value.path().read_bytes() == camera_jpeg()


@pytest.mark.parametrize("way", ["copy", "download"])
def test_link_that_has_expired_is_made_anew(way: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(permissions=["clipboard-read", "clipboard-write"])
    detail = gallery.open("Harbour")
    expect(detail.get_by_role("link", name="Download")).to_have_attribute("href", re.compile("original"))
    gallery.page.clock.set_fixed_time("2100-01-01")
    asked = gallery.page.expect_response(lambda answer: "/api/images/" in answer.url)

    if way == "copy":
        with asked:
            detail.get_by_role("button", name="Copy link").click()
        expect(detail.get_by_role("status")).to_contain_text("Link copied.")
    else:
        with asked, gallery.page.expect_download() as download:
            detail.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "harbour.jpg"


def test_previous_and_next(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")

    detail.get_by_role("button", name="Next picture").click()
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    expect(detail.get_by_role("button", name="Next picture")).to_be_hidden()
    gallery.page.keyboard.press("ArrowLeft")
    gallery.page.keyboard.press("ArrowLeft")
    expect(detail.get_by_role("heading", name="City")).to_be_visible()
    gallery.page.keyboard.press("Escape")
    expect(gallery.card("<b>City</b> & sea")).to_be_focused()


def test_address_names_the_picture(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Harbour")
    assert "#" in gallery.page.url

    gallery.page.reload()
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    gallery.page.keyboard.press("Escape")
    expect(gallery.page).to_have_url(re.compile(r"/$"))
    gallery.open("Forest")
    gallery.page.go_back()
    expect(detail).to_be_hidden()
    expect(gallery.page).to_have_url(re.compile(r"/$"))
