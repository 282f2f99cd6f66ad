"""Accessibility, by keyboard and for screen readers; languages; and the key."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Service
from tests.support.pictures import TEXT, camera_jpeg, jpeg

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture(autouse=True)
def five(service: Service) -> None:
    service.clear()
    for number in range(1, 5):
        service.upload(
            jpeg(80 + 10 * number, 60, seed=number), title=f"Picture {number}", category="Sea", tags=["many"]
        )
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


def find_violations(page: Page, axe: str) -> list[str]:
    page.wait_for_timeout(400)  # until fade-ins have their final colours
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("axe.run()")
    assert len(result["passes"]) > 15
    return [
        f"{violation['id']}: {violation['help']} {[node['target'] for node in violation['nodes']]}"
        for violation in result["violations"]
    ]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_accessibility_of_every_view(
    color_scheme: str, options: dict[str, Any], open_gallery: OpenGallery, axe: str
) -> None:
    gallery = open_gallery(color_scheme=color_scheme, with_key=False, **options)
    page = gallery.page
    expect(page.get_by_role("dialog", name="Your API key")).to_be_visible()
    assert find_violations(page, axe) == []
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="does not accept")).to_be_visible()
    assert find_violations(page, axe) == []
    page.keyboard.type(API_KEY)
    page.keyboard.press("Enter")
    gallery.settle()
    assert find_violations(page, axe) == []
    gallery.upload({"good.jpg": jpeg(seed="axe"), "bad.jpg": TEXT})
    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 uploaded, 1 failed")
    assert find_violations(page, axe) == []
    page.locator("#uploads-close").click()
    gallery.open("Picture 5")
    assert find_violations(page, axe) == []
    gallery.detail.get_by_role("button", name="Edit").click()
    assert find_violations(page, axe) == []
    gallery.detail.get_by_role("button", name="Cancel").click()
    gallery.detail.get_by_text("History", exact=True).click()
    expect(page.locator("#history-list > li")).to_have_count(1)
    page.locator("#history-list").scroll_into_view_if_needed()
    assert find_violations(page, axe) == []
    gallery.delete("Picture 5")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.locator(".toast").hover()  # which pauses its timer
    assert find_violations(page, axe) == []
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("searchbox").fill("nothing of the kind")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert find_violations(page, axe) == []


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_accessibility_of_selection_and_trash(
    color_scheme: str, options: dict[str, Any], open_gallery: OpenGallery, axe: str
) -> None:
    gallery = open_gallery(color_scheme=color_scheme, **options)
    page, toolbar = gallery.page, gallery.toolbar
    gallery.settle()
    page.get_by_role("button", name="Select", exact=True).click()
    assert find_violations(page, axe) == []
    page.keyboard.press("Space")
    expect(toolbar).to_contain_text("1 selected")
    assert find_violations(page, axe) == []
    for action in ("Add tags", "Remove tags", "Move"):
        toolbar.get_by_role("button", name=action, exact=True).click()
        assert find_violations(page, axe) == []
        page.keyboard.press("Escape")
    toolbar.get_by_role("button", name="Delete").click()
    # A deletion that ends in the trash loads the list anew.
    expect(gallery.said).to_contain_text("moved to the trash")
    page.get_by_role("button", name="Trash", exact=True).click()
    expect(page.get_by_role("heading", name="Trash", exact=True)).to_be_focused()
    expect(page.locator(".card:visible")).to_have_count(1)
    page.locator(".card:visible").click()
    expect(toolbar).to_contain_text("1 selected")
    assert find_violations(page, axe) == []
    toolbar.get_by_role("button", name="Delete for good").click()
    assert find_violations(page, axe) == []
    page.keyboard.press("Enter")
    toolbar.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert find_violations(page, axe) == []


def focused(page: Page) -> str:
    name: str = page.evaluate(
        """() => {
            const { activeElement: it } = document;
            return it.ariaLabel || it.labels?.[0]?.firstElementChild.textContent || it.textContent.trim();
        }"""
    )
    return name


def test_keyboard_only(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(with_key=False)
    page, press = gallery.page, gallery.page.keyboard.press
    page.keyboard.type(API_KEY)
    press("Enter")
    gallery.settle()

    visited = []
    for _ in range(12):
        press("Tab")
        visited.append(focused(page))
    assert visited[:8] == ["Search", "Category", "Tag", "Order", "API", "Key", "Upload", "Select"]
    assert visited[8:10] == ["Trash", "Picture 5"]
    while focused(page) != "Picture 5":
        press("Shift+Tab")
    press("ArrowRight")
    press("ArrowRight")
    press("ArrowLeft")
    assert focused(page) == "Picture 4"
    press("Enter")
    expect(gallery.detail.get_by_role("heading", name="Picture 4")).to_be_focused()
    while focused(page) != "Edit":
        press("Tab")
    press("Enter")
    assert focused(page) == "Title"
    press("Control+a")
    page.keyboard.type("By keyboard")
    press("Enter")
    expect(gallery.detail.get_by_role("status")).to_have_text("Saved")
    assert focused(page) == "Edit"
    while focused(page) != "Delete":
        press("Tab")
    press("Enter")
    expect(gallery.said).to_have_text("Moved “By keyboard” to the trash. Ctrl+Z brings it back.")
    assert focused(page) == "Undo"
    press("Control+z")
    expect(gallery.said).to_have_text("“By keyboard” is back")
    assert focused(page) == "By keyboard"
    assert service.query("SELECT count(*) FROM image_metadata WHERE title = 'By keyboard'") == [(1,)]


@pytest.mark.parametrize(
    ("locale", "title"), [("ja-JP", "ギャラリー"), ("en-US", "Gallery"), ("fr-FR", "Gallery")]
)
def test_language(locale: str, title: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(locale=locale)

    expect(gallery.page).to_have_title(title)
    expect(gallery.page.get_by_role("heading", level=1)).to_have_text(title)
    assert gallery.page.evaluate("document.documentElement.lang") == locale[:2].replace("fr", "en")
    expect(gallery.count).to_have_text("5 枚" if locale == "ja-JP" else "5 pictures")


def test_key_is_asked_for_once_and_kept_for_the_tab(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False)
    gallery.page.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.get_by_role("button", name="Continue").click()
    expect(gallery.count).to_have_text("5 pictures")

    gallery.page.reload()

    expect(gallery.count).to_have_text("5 pictures")
    expect(gallery.page.get_by_role("dialog", name="Your API key")).to_be_hidden()
    assert gallery.page.evaluate("localStorage.length") == 0
    assert gallery.page.evaluate("document.cookie") == ""
    assert API_KEY not in gallery.page.evaluate("document.documentElement.outerHTML + location.href")


def test_key_that_is_refused_is_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(
        script='sessionStorage.setItem("image-api-key", "no longer right")', with_key=False
    )
    dialog = gallery.page.get_by_role("dialog", name="Your API key")
    expect(dialog.get_by_role("alert")).to_have_text("The server does not accept this key.")

    dialog.get_by_role("button", name="Cancel").click()
    trouble = gallery.page.get_by_role("alert").filter(has_text="An API key is needed.")
    trouble.get_by_role("button", name="Try again").click()
    dialog.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.keyboard.press("Enter")

    expect(gallery.count).to_have_text("5 pictures")
    expect(trouble).to_be_hidden()
