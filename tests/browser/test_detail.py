"""One picture: view, share, download, and go to the next."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import PREVIEWS, Gallery, Service
from tests.support.pictures import camera_jpeg, jpeg


@pytest.fixture(autouse=True)
def three(service: Service) -> None:
    """Three pictures; the first is the oldest, so it is listed last."""
    service.clear()
    tags = ["boats", "morning"]
    service.upload(camera_jpeg(), "harbour.jpg", title="Harbour", description="Before sunrise.", tags=tags)
    service.upload(jpeg(120, 80, seed=2), title="Forest")
    service.upload(jpeg(60, 90, seed=3), title="<b>City</b> & sea")


@pytest.fixture
def with_clipboard(open_gallery: OpenGallery) -> Gallery:
    return open_gallery(permissions=["clipboard-read", "clipboard-write"])


def test_what_is_known_of_a_picture(gallery: Gallery) -> None:
    detail = gallery.open("Harbour")

    expect(detail.get_by_role("img", name="Before sunrise.")).to_be_visible()
    for text in ("Canon EOS R6", "RF50mm F1.8 STM", "1/250 s", "ƒ/2.8", "50 mm", "harbour.jpg", "64 × 48"):
        expect(detail).to_contain_text(text)
    expect(detail.get_by_role("list", name="Tags").get_by_role("button")).to_have_text(["boats", "morning"])
    gallery.page.wait_for_function("() => document.getElementById('detail-image').naturalWidth > 0")


def test_picture_that_is_not_ready_is_asked_for_again(gallery: Gallery) -> None:
    asked: list[str] = []

    def refuse_twice(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) < 3:
            return route.fulfill(status=503, json={"error": {"code": "variant_pending", "message": "…"}})
        return route.continue_()

    gallery.page.route(PREVIEWS, refuse_twice)
    gallery.open("Harbour")

    gallery.page.wait_for_function("() => document.getElementById('detail-image').naturalWidth > 0")
    assert len(asked) == 3


def test_previous_and_next(gallery: Gallery) -> None:
    detail = gallery.open("Forest")

    detail.get_by_role("button", name="Next picture").click()
    expect(detail.get_by_role("heading", name="Harbour")).to_be_visible()
    expect(detail.get_by_role("button", name="Next picture")).to_be_hidden()
    gallery.press("ArrowLeft")
    gallery.press("ArrowLeft")
    expect(detail.get_by_role("heading", name="<b>City</b> & sea")).to_be_visible()  # text, not markup
    gallery.press("Escape")
    expect(gallery.card("<b>City</b> & sea")).to_be_focused()


def test_copy_link(with_clipboard: Gallery) -> None:
    detail = with_clipboard.open("Harbour")

    detail.get_by_role("button", name="Copy link").click()

    expect(detail.get_by_role("status")).to_contain_text("Anyone with it can open the picture until")
    link = with_clipboard.page.evaluate("navigator.clipboard.readText()")
    copy = Image.open(BytesIO(with_clipboard.page.request.get(link).body()))
    assert copy.size == (64, 48)
    assert not copy.getexif()


def test_download_original(gallery: Gallery) -> None:
    detail = gallery.open("Harbour")

    with gallery.page.expect_download() as download:
        detail.get_by_role("link", name="Download").click()

    assert download.value.suggested_filename == "harbour.jpg"
    assert download.value.path().read_bytes() == camera_jpeg()


@pytest.mark.parametrize("way", ["copy", "download"])
def test_link_that_has_expired_is_made_anew(way: str, with_clipboard: Gallery) -> None:
    page, detail = with_clipboard.page, with_clipboard.open("Harbour")
    expect(detail.get_by_role("link", name="Download")).to_have_attribute("href", re.compile("original"))
    page.clock.set_fixed_time("2100-01-01")
    asked = page.expect_response(lambda answer: "/api/images/" in answer.url)

    if way == "copy":
        with asked:
            detail.get_by_role("button", name="Copy link").click()
        expect(detail.get_by_role("status")).to_contain_text("Link copied.")
    else:
        with asked, page.expect_download() as download:
            detail.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "harbour.jpg"
