"""Accessibility by keyboard and for screen readers, and languages."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, PHONE, Gallery, Service
from tests.support.pictures import TEXT, camera_jpeg, jpeg

SCREENS = pytest.mark.parametrize(
    "options", [{"color_scheme": "light"}, {"color_scheme": "dark", **PHONE}], ids=["desktop", "phone"]
)


@pytest.fixture(autouse=True)
def five(service: Service) -> None:
    service.refill(*(f"Picture {number}" for number in range(1, 5)), category="Sea", tags=["many"])
    service.upload(
        camera_jpeg(), "camera.jpg", title="Picture 5", description="A description.", tags=["camera"]
    )


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    for file in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(file), folder)
    subprocess.run(
        ["npm", "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return Path(folder, "node_modules", "axe-core", "axe.min.js").read_text(encoding="utf-8")


def check(page: Page, axe: str) -> None:
    page.wait_for_timeout(400)  # until fade-ins have their final colors
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("axe.run()")
    assert len(result["passes"]) > 15
    assert [
        f"{violation['id']}: {violation['help']} {[node['target'] for node in violation['nodes']]}"
        for violation in result["violations"]
    ] == []


@SCREENS
def test_accessibility_of_every_view(options: dict[str, Any], open_gallery: OpenGallery, axe: str) -> None:
    gallery = open_gallery(key="", **options)
    page = gallery.page
    expect(gallery.dialog("Your API key")).to_be_visible()
    check(page, axe)
    gallery.use_key("wrong")
    expect(gallery.alert("does not accept")).to_be_visible()
    check(page, axe)
    gallery.use_key(API_KEY)
    gallery.settle()
    check(page, axe)
    gallery.upload({"good.jpg": jpeg(seed="axe"), "bad.jpg": TEXT})
    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 uploaded, 1 failed")
    check(page, axe)
    page.locator("#uploads-close").click()
    gallery.open("Picture 5")
    check(page, axe)
    gallery.edit()
    check(page, axe)
    gallery.detail.get_by_role("button", name="Cancel").click()
    gallery.detail.get_by_text("History", exact=True).click()
    expect(gallery.history).to_have_count(1)
    page.locator("#history-list").scroll_into_view_if_needed()
    check(page, axe)
    gallery.delete("Picture 5")
    expect(gallery.button("Undo")).to_be_visible()
    gallery.toast.hover()  # which pauses its timer
    check(page, axe)
    gallery.button("Undo").click()
    page.get_by_role("searchbox").fill("nothing of the kind")
    expect(gallery.heading("Nothing found")).to_be_visible()
    check(page, axe)


@SCREENS
def test_accessibility_of_selection_and_trash(
    options: dict[str, Any], open_gallery: OpenGallery, axe: str
) -> None:
    gallery = open_gallery(**options)
    page = gallery.page
    gallery.settle()
    gallery.button("Select").click()
    check(page, axe)
    gallery.press("Space")
    expect(gallery.toolbar).to_contain_text("1 selected")
    check(page, axe)
    for action in ("Add tags", "Remove tags", "Set category"):
        gallery.act(action)
        check(page, axe)
        gallery.press("Escape")
    gallery.act("Move to trash")
    # After the deletion, the page loads the list again.
    expect(gallery.said).to_contain_text("Moved 1 picture to the trash")
    gallery.open_trash()
    expect(gallery.cards).to_have_count(1)
    gallery.cards.click()
    expect(gallery.toolbar).to_contain_text("1 selected")
    check(page, axe)
    gallery.act("Delete permanently")
    check(page, axe)
    gallery.press("Enter")
    gallery.act("Restore")
    expect(gallery.heading("The trash is empty")).to_be_visible()
    check(page, axe)


def test_keyboard_only(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(key="")
    press, type_text = gallery.press, gallery.page.keyboard.type

    def tab_to(name: str) -> None:
        """Move the focus to the element with this name or text."""
        find = "(it => it.ariaLabel || it.textContent.trim())(document.activeElement)"
        for _ in range(20):
            press("Tab")
            if gallery.page.evaluate(find) == name:
                return
        pytest.fail(f"{name} is not reached")

    type_text(API_KEY)
    press("Enter")
    gallery.settle()
    tab_to("Picture 5")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        press(key)
    expect(gallery.detail.get_by_role("heading", name="Picture 4")).to_be_focused()
    tab_to("Edit")
    press("Enter")
    expect(gallery.detail.get_by_label("Title")).to_be_focused()
    press("Control+a")
    type_text("By keyboard")
    press("Enter")
    expect(gallery.detail.get_by_role("button", name="Edit")).to_be_focused()
    tab_to("Move to trash")
    press("Enter")
    expect(gallery.button("Undo")).to_be_focused()
    press("Control+z")
    expect(gallery.said).to_have_text("Restored “By keyboard”")
    expect(gallery.card("By keyboard")).to_be_focused()
    assert service.find("By keyboard")


@pytest.mark.parametrize(
    ("locale", "language", "title", "count"),
    [("ja-JP", "ja", "ギャラリー", "5 枚"), ("fr-FR", "en", "Gallery", "5 pictures")],
)
def test_language(locale: str, language: str, title: str, count: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(locale=locale)

    expect(gallery.page).to_have_title(title)
    expect(gallery.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(gallery.page.locator("html")).to_have_attribute("lang", language)
    expect(gallery.count).to_have_text(count)


def test_key_for_undo_is_that_of_a_mac(waiting: Gallery) -> None:
    waiting.page.add_init_script("Object.defineProperty(navigator, 'platform', { get: () => 'MacIntel' })")
    waiting.enter()

    waiting.delete("Picture 5")

    expect(waiting.said).to_have_text("Moved “Picture 5” to the trash. Press ⌘Z to undo.")
