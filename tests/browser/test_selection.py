"""Select several pictures by mouse, keyboard and touch."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service, upload_six
from tests.browser.test_access import PHONE


@pytest.fixture(autouse=True)
def six(service: Service) -> None:
    upload_six(service)


def selected(gallery: Gallery) -> list[str]:
    """Their titles, as assistive technology has them too."""
    titles = gallery.page.locator(".item.selected .title").all_text_contents()
    assert gallery.page.locator(".check:checked").count() == len(titles)
    assert gallery.page.locator(".card[aria-pressed=true]").count() == len(titles)
    return [title.removeprefix("Picture ") for title in titles]


def test_mouse(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.settle()
    expect(gallery.check("Picture 2")).to_have_css("opacity", "0")

    gallery.card("Picture 2").hover()
    expect(gallery.check("Picture 2")).to_have_css("opacity", "1")
    gallery.check("Picture 2").click()
    expect(gallery.toolbar).to_contain_text("1 selected")
    expect(gallery.said).to_have_text("1 selected")
    gallery.card("Picture 4").click()
    assert selected(gallery) == ["4", "2"]
    gallery.card("Picture 4").click()
    assert selected(gallery) == ["2"]
    expect(gallery.detail).to_be_hidden()
    gallery.card("Picture 2").click()

    expect(gallery.toolbar).to_be_hidden()
    gallery.open("Picture 2")


def test_shift_click_selects_a_range_and_control_click_one_more(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.card("Picture 5").click(modifiers=["Control"])
    gallery.card("Picture 3").click(modifiers=["Shift"])
    assert selected(gallery) == ["5", "4", "3"]

    gallery.card("Picture 6").click(modifiers=["Shift"])
    assert selected(gallery) == ["6", "5"]
    gallery.card("Picture 1").click(modifiers=["Control"])
    assert selected(gallery) == ["6", "5", "1"]
    gallery.check("Picture 3").click(modifiers=["Shift"])
    assert selected(gallery) == ["6", "5", "3", "2", "1"]
    expect(gallery.said).to_have_text("5 selected")


@pytest.mark.parametrize("key", ["x", " "])
def test_keyboard(key: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    press = gallery.page.keyboard.press
    gallery.card("Picture 5").focus()

    press(key)
    assert selected(gallery) == ["5"]
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    assert selected(gallery) == ["5", "4", "3"]
    press("Shift+ArrowLeft")
    assert selected(gallery) == ["5", "4"]
    expect(gallery.card("Picture 4")).to_be_focused()
    press("ArrowRight")
    press("ArrowRight")
    press(key)
    assert selected(gallery) == ["5", "4", "2"]
    press("Control+a")
    assert len(selected(gallery)) == 6
    expect(gallery.said).to_have_text("6 selected")
    press("Tab")
    expect(gallery.toolbar.get_by_role("button", name="Add tags")).to_be_focused()
    press("End")
    expect(gallery.toolbar.get_by_role("button", name="Delete")).to_be_focused()
    press("ArrowRight")
    expect(gallery.toolbar.get_by_role("button", name="Done")).to_be_focused()
    press("ArrowRight")
    press("Shift+Tab")
    expect(gallery.card("Picture 2")).to_be_focused()
    press("Tab")
    expect(gallery.toolbar.get_by_role("button", name="Add tags")).to_be_focused()
    press("Escape")

    assert selected(gallery) == []
    expect(gallery.toolbar).to_be_hidden()
    expect(gallery.card("Picture 2")).to_be_focused()
    press("Enter")
    expect(gallery.detail.get_by_role("heading", name="Picture 2")).to_be_visible()


def test_select_button_begins_with_nothing_selected(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.get_by_role("button", name="Select", exact=True).click()

    expect(gallery.card("Picture 6")).to_be_focused()
    expect(gallery.said).to_contain_text("Space selects")
    expect(gallery.toolbar).to_contain_text("0 selected")
    expect(gallery.toolbar.get_by_role("button", name="Delete")).to_be_disabled()
    gallery.card("Picture 3").click()
    gallery.card("Picture 3").click()
    expect(gallery.toolbar).to_contain_text("0 selected")
    gallery.toolbar.get_by_role("button", name="Done").click()
    expect(gallery.toolbar).to_be_hidden()
    expect(gallery.card("Picture 3")).to_be_focused()


def test_another_list_ends_the_selection(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.pick("Picture 2", "Picture 5")

    gallery.page.get_by_role("combobox", name="Category").select_option("Sea")

    expect(gallery.count).to_have_text("3 pictures")
    expect(gallery.toolbar).to_be_hidden()
    assert selected(gallery) == []


def test_touch(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(**PHONE)
    gallery.settle()
    box = gallery.card("Picture 4").bounding_box()
    assert box
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = gallery.page.context.new_cdp_session(gallery.page)

    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(gallery.toolbar).to_contain_text("1 selected")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    gallery.page.wait_for_timeout(400)
    assert selected(gallery) == ["4"]
    expect(gallery.detail).to_be_hidden()
    gallery.card("Picture 2").tap()

    assert selected(gallery) == ["4", "2"]
    for button in gallery.toolbar.get_by_role("button").all():
        expect(button).to_be_in_viewport(ratio=1)
