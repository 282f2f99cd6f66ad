"""Paste and drop upload pictures. They ignore text and the page's own pictures."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import Gallery, Service
from tests.support.pictures import jpeg, jpeg_of_size

OTHER = {"other.jpg": jpeg(seed=2)}


@pytest.fixture(autouse=True)
def one(service: Service) -> None:
    service.refill("Forest")


def test_paste_that_is_meant_as_text(gallery: Gallery) -> None:
    def is_ignored(onto: str, text: str) -> bool:
        gallery.drop("paste", OTHER, text, onto)
        return gallery.page.locator("#uploads").is_hidden()

    gallery.open("Forest")
    gallery.edit()
    assert is_ignored("#edit-description", "A1")
    assert is_ignored("#edit-description", "")
    gallery.press("Escape")
    gallery.press("Escape")
    assert is_ignored("body", "A1")
    assert not is_ignored("body", "")
    # A request that outlives its test would add a picture to the next one.
    expect(gallery.cards).to_have_count(2)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_picture_that_is_open_makes_way(event: str, gallery: Gallery) -> None:
    gallery.open("Forest")

    gallery.drop(event, {"a.jpg": jpeg(seed=2), "b.jpg": jpeg(seed=3)})

    expect(gallery.detail).to_be_hidden()
    expect(gallery.uploads.get_by_role("heading")).to_have_text("2 pictures uploaded")
    expect(gallery.cards).to_have_count(3)


def test_drop_during_an_edit_is_ignored(gallery: Gallery) -> None:
    detail = gallery.open("Forest")
    gallery.edit(Title="Being typed")

    gallery.drop("drop", OTHER)

    expect(detail.get_by_label("Title")).to_have_value("Being typed")
    expect(gallery.page.locator("#uploads")).to_be_hidden()


def test_file_without_an_extension_is_told_by_its_content(gallery: Gallery) -> None:
    gallery.drop("drop", {"small": jpeg(seed="small"), "large": jpeg_of_size(4_400_001)})

    expect(gallery.cards).to_have_count(3)
    types = gallery.service.query("SELECT DISTINCT mime_type FROM image_metadata")
    assert types == [("image/jpeg",)]


@pytest.mark.parametrize("size", ["known", "unknown"])
def test_file_that_is_gone_before_its_turn(size: str, gallery: Gallery, tmp_path: Path) -> None:
    page, asked = gallery.page, gallery.watch("/api/upload")
    file = tmp_path / "gone.jpg"
    file.write_bytes(jpeg(seed=3))
    page.evaluate("document.getElementById('files').onchange = null")
    page.locator("#files").set_input_files(file)
    if size == "known":
        assert page.evaluate("document.getElementById('files').files[0].size") == file.stat().st_size
    file.unlink()

    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(document.getElementById("files").files[0]);
            document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: carried }));
        }"""
    )

    expect(gallery.line("gone.jpg")).to_contain_text("The file cannot be read.")
    expect(gallery.line("gone.jpg").get_by_role("button", name="Try again")).to_be_hidden()
    assert asked == []
