"""Edits to a picture stay until they are saved or discarded."""

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service
from tests.browser.test_access import PHONE
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.clear()
    service.upload(jpeg(120, 80, seed=1), title="Harbour")
    service.upload(jpeg(120, 80, seed=2), title="Forest", description="Some trees.")


def start_editing(gallery: Gallery, title: str) -> Locator:
    detail = gallery.open(title)
    detail.get_by_role("button", name="Edit").click()
    expect(detail.get_by_label("Title")).to_be_focused()
    return detail


def save_slowly(gallery: Gallery) -> Route:
    """Press Save and hold its request; later requests pass."""
    held: list[Route] = []
    gallery.page.route(
        "**/api/images/*",
        lambda route: route.continue_() if held or route.request.method != "PATCH" else held.append(route),
    )
    with gallery.page.expect_request(lambda request: request.method == "PATCH"):
        gallery.detail.get_by_role("button", name="Save").click()
    gallery.wait_until(lambda: held)
    return held[0]


def test_late_answer_leaves_the_next_picture_alone(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    start_editing(gallery, "Forest").get_by_label("Title").fill("Saved late")
    held = save_slowly(gallery)
    gallery.page.keyboard.press("Escape")
    gallery.page.keyboard.press("Escape")
    expect(gallery.detail).to_be_hidden()
    detail = start_editing(gallery, "Harbour")
    detail.get_by_label("Title").fill("Being typed")

    held.continue_()

    expect(gallery.page.locator(".item .caption")).to_have_text(["Saved late", "Harbour"])
    expect(detail.get_by_label("Title")).to_have_value("Being typed")
    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_role("heading", name="Being typed")).to_be_visible()
    assert service.query("SELECT count(*) FROM image_metadata WHERE title = 'Saved late'") == [(1,)]


def test_late_answer_does_not_open_what_was_closed(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    start_editing(gallery, "Forest").get_by_label("Title").fill("Saved late")
    held = save_slowly(gallery)
    gallery.detail.get_by_role("button", name="Close").click()

    held.continue_()

    expect(gallery.page.locator(".item .caption")).to_have_text(["Saved late", "Harbour"])
    expect(gallery.detail).to_be_hidden()
    expect(gallery.open("Saved late").get_by_role("heading", name="Saved late")).to_be_focused()


def test_late_refusal_is_told_elsewhere(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    start_editing(gallery, "Forest").get_by_label("Title").fill("Refused late")
    held = save_slowly(gallery)
    gallery.detail.get_by_role("button", name="Close").click()
    detail = gallery.open("Harbour")

    held.fulfill(status=500, json={"error": {"code": "internal_error", "message": "…"}})

    expect(gallery.page.locator(".toast")).to_contain_text("“Refused late” was not saved.")
    expect(detail.get_by_role("status")).to_have_text("")


def test_edit_that_starts_again_during_a_save_stays(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = start_editing(gallery, "Forest")
    detail.get_by_label("Title").fill("First")
    held = save_slowly(gallery)
    detail.get_by_role("button", name="Cancel").click()
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Second")

    held.continue_()

    expect(gallery.page.locator(".item .caption").first).to_have_text("First")
    expect(detail.get_by_label("Title")).to_have_value("Second")
    detail.get_by_role("button", name="Save").click()
    expect(detail.get_by_role("heading", name="Second")).to_be_visible()


def test_selecting_text_beyond_the_dialog_keeps_what_was_typed(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = start_editing(gallery, "Forest")
    field = detail.get_by_label("Description")
    field.fill("Typed for ten minutes")
    box = field.bounding_box()
    assert box

    gallery.page.mouse.move(box["x"] + 20, box["y"] + 20)
    gallery.page.mouse.down()
    gallery.page.mouse.move(1275, box["y"] + 20, steps=4)
    gallery.page.mouse.up()
    gallery.page.mouse.click(1275, 400)

    expect(field).to_have_value("Typed for ten minutes")


def test_escape_leaves_the_form_and_then_the_picture(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = start_editing(gallery, "Forest")

    gallery.page.keyboard.press("Escape")
    expect(detail.get_by_role("button", name="Edit")).to_be_focused()
    expect(detail).to_contain_text("Some trees.")
    gallery.page.keyboard.press("Escape")

    expect(gallery.card("Forest")).to_be_focused()


def test_press_beside_the_dialog_closes_it(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    detail = gallery.open("Forest")
    box = detail.get_by_role("heading").bounding_box()
    assert box

    gallery.page.mouse.move(box["x"] + 5, box["y"] + 5)
    gallery.page.mouse.down()
    gallery.page.mouse.move(1275, 400, steps=4)
    gallery.page.mouse.up()
    expect(detail).to_be_visible()
    gallery.page.mouse.click(1275, 400)

    expect(detail).to_be_hidden()


def test_press_on_what_is_empty_of_a_picture_does_not_close_it(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(**{**PHONE, "viewport": {"width": 390, "height": 1400}})
    gallery.open("Forest")

    gallery.page.touchscreen.tap(195, 1390)

    expect(gallery.detail.get_by_role("heading", name="Forest")).to_be_visible()
    expect(gallery.detail).to_be_visible()


def test_what_a_save_says_is_beside_its_button(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(viewport={"width": 844, "height": 390})
    detail = start_editing(gallery, "Forest")
    held = save_slowly(gallery)
    expect(detail.get_by_text("Saving…")).to_be_in_viewport()

    held.fulfill(status=500, json={"error": {"code": "internal_error", "message": "…"}})

    problem = detail.get_by_text("Something went wrong on the server.")
    expect(problem).to_be_in_viewport()
    danger = detail.get_by_role("button", name="Delete", include_hidden=True)
    color = "(element) => getComputedStyle(element).color"
    assert problem.evaluate(color) == danger.evaluate(color)


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("edit-title", "x" * 201, "「タイトル」は 200 文字までです。"),
        ("edit-tags", "x" * 65, "タグは 1 つ 64 文字までです。"),
        ("edit-tags", "x," * 33, "タグは 32 個までです。"),
    ],
)
def test_refusals_in_japanese(field: str, text: str, problem: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(locale="ja-JP")
    gallery.card("Forest").click()
    gallery.detail.get_by_role("button", name="編集").click()
    gallery.page.locator(f"#{field}").evaluate(
        "(field, text) => { field.maxLength = 9999; field.value = text; }", text
    )

    gallery.detail.get_by_role("button", name="保存").click()

    expect(gallery.detail.get_by_text(problem)).to_be_visible()


def test_conflict_in_a_picture_that_the_list_does_not_have(
    open_gallery: OpenGallery, service: Service
) -> None:
    found = service.query("SELECT id FROM image_metadata WHERE title = 'Forest'")[0][0]
    gallery = open_gallery(path=f"/?category=none#{found}")
    detail = gallery.detail
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine")
    service.query("UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = 'Forest'")

    detail.get_by_role("button", name="Save").click()

    expect(detail.get_by_text("Someone else changed this picture. Save replaces")).to_be_visible()


def test_conflict_whose_other_side_cannot_be_read_is_told(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    gallery.page.route(
        "**/api/images/*",
        lambda route: (
            route.fulfill(status=500, json={"error": {"code": "internal_error", "message": "…"}})
            if route.request.method == "GET" and gallery.page.locator("#edit-form").is_visible()
            else route.continue_()
        ),
    )
    with gallery.page.expect_response(lambda answer: "/api/images/" in answer.url):
        gallery.open("Forest")
    detail = gallery.detail
    detail.get_by_role("button", name="Edit").click()
    detail.get_by_label("Title").fill("Mine")
    service.query("UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = 'Forest'")

    detail.get_by_role("button", name="Save").click()
    told = "Someone else changed this picture. Something went wrong on the server."
    expect(detail.get_by_text(told)).to_be_visible()
    gallery.page.unroute("**/api/images/*")
    detail.get_by_role("button", name="Save").click()

    expect(detail.get_by_text("Someone else changed this picture. Save replaces")).to_be_visible()
    expect(detail.get_by_label("Title")).to_have_value("Mine")
