"""Paste and drop: pictures are uploaded; text and the page's own pictures are ignored."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service, drop_files
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def one(service: Service) -> None:
    service.clear()
    service.upload(jpeg(120, 80, seed=1), title="Forest")


def paste(gallery: Gallery, selector: str, *, with_text: bool) -> bool:
    """Paste a picture, optionally with text, as from spreadsheet cells. Returns whether it was ignored."""
    gallery.page.evaluate(
        """([selector, withText]) => {
            const carried = new DataTransfer();
            if (withText) carried.setData("text/plain", "A1");
            carried.items.add(new File([new Uint8Array([1, 2, 3])], "cells.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true, clipboardData: carried };
            document.querySelector(selector).dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        [selector, with_text],
    )
    return gallery.page.locator("#uploads").is_hidden()


def test_paste_that_is_meant_as_text(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.open("Forest").get_by_role("button", name="Edit").click()

    assert paste(gallery, "#edit-description", with_text=True)
    assert paste(gallery, "#edit-description", with_text=False)
    gallery.page.keyboard.press("Escape")
    gallery.page.keyboard.press("Escape")
    assert paste(gallery, "body", with_text=True)
    assert not paste(gallery, "body", with_text=False)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_picture_that_is_open_makes_way(event: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.open("Forest")

    drop_files(gallery.page, event, {"other.jpg": jpeg(seed=2)})

    expect(gallery.detail).to_be_hidden()
    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 picture uploaded")


def test_drop_during_an_edit_is_ignored(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Being typed")

    drop_files(gallery.page, "drop", {"other.jpg": jpeg(seed=2)})

    expect(detail.get_by_label("Title")).to_have_value("Being typed")
    expect(gallery.page.locator("#uploads")).to_be_hidden()


@pytest.mark.parametrize("size", ["known", "unknown"])
def test_file_that_is_gone_before_its_turn(size: str, open_gallery: OpenGallery, tmp_path: Path) -> None:
    gallery = open_gallery()
    asked: list[str] = []
    gallery.page.on("request", lambda request: asked.append(request.url))
    file = tmp_path / "gone.jpg"
    file.write_bytes(jpeg(seed=3))
    gallery.page.evaluate("document.getElementById('files').onchange = null")
    gallery.page.locator("#files").set_input_files(file)
    if size == "known":
        assert gallery.page.evaluate("document.getElementById('files').files[0].size") == file.stat().st_size
    file.unlink()

    gallery.page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(document.getElementById("files").files[0]);
            document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: carried }));
        }"""
    )

    expect(gallery.line("gone.jpg")).to_contain_text("The file cannot be read.")
    expect(gallery.line("gone.jpg").get_by_role("button", name="Try again")).to_be_hidden()
    assert [url for url in asked if "/api/upload" in url] == []
