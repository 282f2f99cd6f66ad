"""Edits of a picture are saved, refused, or conflict. They stay until they are saved or discarded."""

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.gallery import Gallery, Service

CONFLICT = "Someone else changed this picture."
WHOSE = f"{CONFLICT} Save overwrites"


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.refill("Harbour", "Forest", description="Some trees.", category="Green")


def save_slowly(gallery: Gallery) -> Route:
    """Press Save and hold its request; later requests pass."""
    held = gallery.hold("**/api/images/*", "PATCH", most=1)
    gallery.save()
    gallery.wait_until(lambda: held)
    return held[0]


def test_edit(gallery: Gallery) -> None:
    detail = gallery.open("Forest")

    tags = {"Tags, separated by commas": "mist, 木、 mist,"}
    gallery.edit(Title="静かな森", Description="One line\nand another", Category="Wood", **tags)
    gallery.save()

    expect(detail.get_by_role("status")).to_have_text("Saved")
    expect(detail.get_by_role("heading", name="静かな森")).to_be_visible()
    expect(detail.get_by_role("button", name="Edit")).to_be_focused()
    expect(gallery.categories).to_have_text(["All categories", "Green (1)", "Wood (1)"])
    row = "SELECT title, description, category, tags FROM image_metadata WHERE category = 'Wood'"
    assert gallery.service.query(row) == [("静かな森", "One line\nand another", "Wood", ["mist", "木"])]
    gallery.press("Escape")
    expect(gallery.card("静かな森")).to_be_focused()


def test_edit_that_the_server_refuses(gallery: Gallery) -> None:
    detail = gallery.open("Forest")
    for tags, problem in [("x" * 65, "longer than 64 characters"), ("x," * 33, "more than 32 tags")]:
        gallery.edit(**{"Tags, separated by commas": tags})
        gallery.save()

        expect(detail.get_by_text(problem)).to_be_in_viewport()
        expect(detail.get_by_label("Title")).to_be_visible()
        detail.get_by_role("button", name="Cancel").click()


def test_escape_leaves_the_form_and_then_the_picture(gallery: Gallery) -> None:
    detail = gallery.open("Forest")
    gallery.edit()

    gallery.press("Escape")
    expect(detail.get_by_role("button", name="Edit")).to_be_focused()
    expect(detail).to_contain_text("Some trees.")
    gallery.press("Escape")

    expect(gallery.card("Forest")).to_be_focused()


def test_edit_while_someone_else_does_too(gallery: Gallery, service: Service) -> None:
    detail = gallery.open("Forest")
    with gallery.page.expect_response(lambda answer: "/api/images/" in answer.url):
        gallery.page.reload()
    gallery.edit(Title="Mine")
    service.change_elsewhere("Forest")

    gallery.save()
    expect(detail.get_by_text(WHOSE)).to_be_visible()
    expect(detail.get_by_label("Title")).to_have_value("Mine")
    assert service.find("Theirs")
    detail.get_by_role("button", name="Cancel").click()
    expect(detail.get_by_role("heading", name="Theirs")).to_be_visible()

    gallery.edit(Title="Mine after all")
    gallery.save()
    expect(detail.get_by_role("heading", name="Mine after all")).to_be_visible()


def test_conflict_whose_other_side_cannot_be_read_is_told(gallery: Gallery) -> None:
    with gallery.page.expect_response(lambda answer: "/api/images/" in answer.url):
        detail = gallery.open("Forest")
    gallery.edit(Title="Mine")
    gallery.fail("**/api/images/*", "GET")
    gallery.service.change_elsewhere("Forest")

    gallery.save()
    expect(
        detail.get_by_text(f"{CONFLICT} Something went wrong on the server. Try again later.")
    ).to_be_visible()
    gallery.page.unroute("**/api/images/*")
    gallery.save()

    expect(detail.get_by_text(WHOSE)).to_be_visible()
    expect(detail.get_by_label("Title")).to_have_value("Mine")


def test_save_whose_response_is_lost_is_no_conflict(gallery: Gallery) -> None:
    detail = gallery.open("Forest")
    gallery.edit(Title="Kept ", **{"Tags, separated by commas": "a, b, a"})
    saved: list[APIResponse] = []

    def lose_the_answer(route: Route) -> None:
        if saved:
            return route.continue_()
        saved.append(route.fetch())
        return route.abort()

    gallery.intercept("**/api/images/*", lose_the_answer, "PATCH")
    gallery.save()

    expect(detail.get_by_role("status")).to_have_text("Saved")
    expect(detail.get_by_role("heading", name="Kept")).to_be_visible()
    assert saved[0].ok


def test_late_answer_leaves_the_next_picture_alone(gallery: Gallery) -> None:
    detail = gallery.open("Forest")
    gallery.edit(Title="Saved late")
    held = save_slowly(gallery)
    gallery.press("Escape")
    gallery.press("Escape")
    expect(detail).to_be_hidden()
    gallery.open("Harbour")
    gallery.edit(Title="Being typed")

    held.continue_()

    expect(gallery.page.locator(".item .caption")).to_have_text(["Saved late", "Harbour"])
    expect(detail.get_by_label("Title")).to_have_value("Being typed")
    gallery.save()
    expect(detail.get_by_role("heading", name="Being typed")).to_be_visible()
    assert gallery.service.find("Saved late")


def test_late_refusal_is_told_elsewhere(gallery: Gallery) -> None:
    gallery.open("Forest")
    gallery.edit(Title="Refused late")
    held = save_slowly(gallery)
    gallery.detail.get_by_role("button", name="Close").click()
    detail = gallery.open("Harbour")

    held.fulfill(status=500, json={"error": {"code": "internal_error", "message": "…"}})

    expect(gallery.toast).to_contain_text("“Refused late” was not saved.")
    expect(detail.get_by_role("status")).to_have_text("")
    assert gallery.toast.evaluate(
        """(toast) => {
            const { x, y, width, height } = toast.getBoundingClientRect();
            return toast.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }"""
    )
    gallery.press("Escape")
    expect(detail).to_be_hidden()
    expect(gallery.toast).to_be_visible()
