"""Selecting several pictures by mouse, keyboard and touch."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import PHONE, Gallery, Service


@pytest.fixture(autouse=True)
def six(service: Service) -> None:
    """Pictures 6 to 1, the newest first."""
    service.refill(*(f"Picture {number}" for number in range(1, 7)), category="Sea")


def test_mouse(gallery: Gallery) -> None:
    gallery.pick("Picture 2")
    expect(gallery.toolbar).to_contain_text("1 selected")
    expect(gallery.said).to_have_text("1 selected")
    gallery.card("Picture 4").click()
    assert gallery.selected() == ["4", "2"]
    gallery.card("Picture 4").click()
    assert gallery.selected() == ["2"]
    expect(gallery.detail).to_be_hidden()
    gallery.card("Picture 2").click()

    expect(gallery.toolbar).to_be_hidden()
    gallery.open("Picture 2")


def test_shift_click_selects_a_range_and_control_click_one_more(gallery: Gallery) -> None:
    gallery.card("Picture 5").click(modifiers=["Control"])
    gallery.card("Picture 3").click(modifiers=["Shift"])
    assert gallery.selected() == ["5", "4", "3"]

    gallery.card("Picture 6").click(modifiers=["Shift"])
    assert gallery.selected() == ["6", "5"]
    gallery.card("Picture 1").click(modifiers=["Control"])
    assert gallery.selected() == ["6", "5", "1"]
    gallery.check("Picture 3").click(modifiers=["Shift"])
    assert gallery.selected() == ["6", "5", "3", "2", "1"]


@pytest.mark.parametrize("key", ["x", " "])
def test_keyboard(key: str, gallery: Gallery) -> None:
    press, toolbar = gallery.press, gallery.toolbar
    gallery.card("Picture 5").focus()

    press(key)
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    assert gallery.selected() == ["5", "4", "3"]
    press("Shift+ArrowLeft")
    assert gallery.selected() == ["5", "4"]
    press("ArrowRight")
    press("ArrowRight")
    press(key)
    assert gallery.selected() == ["5", "4", "2"]
    press("Control+a")
    assert len(gallery.selected()) == 6
    for move, name in [("Tab", "Add tags"), ("End", "Clear selection"), ("ArrowLeft", "Move to trash")]:
        press(move)
        expect(toolbar.get_by_role("button", name=name)).to_be_focused()
    press("Shift+Tab")
    expect(gallery.card("Picture 2")).to_be_focused()
    press("Tab")
    press("Escape")

    assert gallery.selected() == []
    expect(toolbar).to_be_hidden()
    expect(gallery.card("Picture 2")).to_be_focused()
    press("Enter")
    expect(gallery.detail.get_by_role("heading", name="Picture 2")).to_be_visible()


def test_select_button_begins_with_nothing_selected(gallery: Gallery) -> None:
    gallery.button("Select").click()

    expect(gallery.card("Picture 6")).to_be_focused()
    expect(gallery.said).to_contain_text("Press Space to select")
    expect(gallery.toolbar).to_contain_text("0 selected")
    expect(gallery.toolbar.get_by_role("button", name="Move to trash")).to_be_disabled()
    gallery.card("Picture 3").click()
    gallery.card("Picture 3").click()
    expect(gallery.toolbar).to_contain_text("0 selected")
    gallery.act("Clear selection")
    expect(gallery.toolbar).to_be_hidden()
    expect(gallery.card("Picture 3")).to_be_focused()


def test_select_button_waits_for_pictures(waiting: Gallery, service: Service) -> None:
    held = waiting.hold("**/api/images?*")
    waiting.enter()
    select = waiting.button("Select")
    waiting.wait_until(lambda: held)
    expect(select).to_be_visible()
    expect(select).to_be_disabled()

    for route in held:
        route.continue_()

    expect(select).to_be_enabled()
    service.clear()
    waiting.page.unroute("**/api/images?*")
    waiting.enter()
    expect(waiting.heading("No pictures yet")).to_be_visible()
    expect(select).to_be_disabled()


def test_another_list_ends_the_selection(gallery: Gallery) -> None:
    gallery.pick("Picture 2", "Picture 5")

    gallery.box("Order").select_option("created_at")

    expect(gallery.cards.first).to_have_text("Picture 1")
    expect(gallery.toolbar).to_be_hidden()
    assert gallery.selected() == []


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
    assert gallery.selected() == ["4"]
    expect(gallery.detail).to_be_hidden()
    gallery.card("Picture 2").tap()

    assert gallery.selected() == ["4", "2"]
    for button in gallery.toolbar.get_by_role("button").all():
        expect(button).to_be_in_viewport(ratio=1)
