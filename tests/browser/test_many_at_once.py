"""Change all the selected pictures at once: tags, category, trash; each with one undo; and what fails."""

from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import BROKEN, BUSY, Service, change_answer, hold, upload_six
from tests.browser.test_selection import selected

BATCH = "**/api/images/batch"


@pytest.fixture(autouse=True)
def six(service: Service) -> None:
    upload_six(service)


def rows(service: Service) -> dict[str, tuple[str, list[str]]]:
    found = service.query("SELECT title, category, tags FROM image_metadata")
    return {title.removeprefix("Picture "): (category, tags) for title, category, tags in found}


def test_add_tags_and_undo(open_gallery: OpenGallery, service: Service) -> None:
    before = rows(service)
    gallery = open_gallery()
    gallery.pick("Picture 1", "Picture 2")
    gallery.toolbar.get_by_role("button", name="Add tags").click()
    dialog = gallery.page.get_by_role("dialog", name="Add tags to 2 pictures")
    expect(dialog.get_by_role("textbox")).to_be_focused()

    gallery.page.keyboard.type("even, 夏、 new,")
    gallery.page.keyboard.press("Enter")

    expect(gallery.said).to_have_text("2 pictures changed. Ctrl+Z undoes it.")
    expect(gallery.toolbar).to_be_hidden()
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_focused()
    expect(gallery.page.locator("#tag option")).to_contain_text(["new (2)"])
    after = rows(service)
    assert after["1"] == ("Sea", ["many", "even", "夏", "new"])
    assert after["2"] == ("Sea", ["many", "even", "夏", "new"])
    gallery.page.keyboard.press("Control+z")

    expect(gallery.said).to_have_text("2 pictures are as they were")
    assert rows(service) == before


def test_remove_tags_and_undo(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    gallery.pick("Picture 1", "Picture 2", "Picture 4")
    gallery.toolbar.get_by_role("button", name="Remove tags").click()
    dialog = gallery.page.get_by_role("dialog", name="Remove tags from 3 pictures")
    remove = dialog.get_by_role("button", name="Remove")
    expect(dialog.get_by_role("checkbox", name="many (3)")).to_be_focused()
    remove.click()
    expect(dialog).to_be_visible()  # nothing is chosen yet

    dialog.get_by_role("checkbox", name="even (2)").check()
    remove.click()

    expect(gallery.said).to_have_text("3 pictures changed. Ctrl+Z undoes it.")
    assert [rows(service)[name][1] for name in "124"] == [["many"]] * 3
    gallery.open("Picture 2")
    expect(gallery.page.locator("#detail-tags button")).to_have_text(["many"])
    gallery.page.keyboard.press("Escape")
    gallery.page.get_by_role("button", name="Undo").click()
    expect(gallery.said).to_have_text("2 pictures are as they were")
    assert [rows(service)[name][1] for name in "124"] == [["many"], ["many", "even"], ["many", "even"]]


@pytest.mark.parametrize(("category", "counts"), [("Forest", ["Forest (3)", "Sea (2)"]), ("", ["Sea (2)"])])
def test_move_to_a_category_and_undo(
    category: str, counts: list[str], open_gallery: OpenGallery, service: Service
) -> None:
    before = rows(service)
    gallery = open_gallery()
    gallery.pick("Picture 3", "Picture 4", "Picture 5")
    gallery.toolbar.get_by_role("button", name="Move", exact=True).click()
    dialog = gallery.page.get_by_role("dialog", name="Move 3 pictures to a category")

    dialog.get_by_role("combobox").fill(category)
    dialog.get_by_role("button", name="Move", exact=True).click()

    expect(gallery.said).to_have_text("3 pictures changed. Ctrl+Z undoes it.")
    expect(gallery.page.locator("#category option")).to_have_text(["All categories", *counts])
    assert [rows(service)[name][0] for name in "345"] == [category] * 3
    gallery.page.get_by_role("button", name="Undo").click()
    expect(gallery.said).to_have_text("3 pictures are as they were")
    assert rows(service) == before
    expect(gallery.page.locator("#category option")).to_have_text(["All categories", "Sea (3)"])


def test_trash_with_one_undo_for_all(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    gallery.pick("Picture 2", "Picture 4", "Picture 5")

    gallery.toolbar.get_by_role("button", name="Delete").click()

    expect(gallery.said).to_have_text("3 pictures moved to the trash. Ctrl+Z undoes it.")
    expect(gallery.cards).to_have_text(["Picture 6", "Picture 3", "Picture 1"])
    expect(gallery.count).to_have_text("3 pictures")
    expect(gallery.page.get_by_role("button", name="Undo")).to_be_focused()
    assert service.count() == 3
    expect(gallery.page.locator("#category option")).to_have_text(["All categories", "Sea (2)"])
    gallery.page.keyboard.press("Enter")

    expect(gallery.said).to_have_text("3 pictures are back")
    expect(gallery.cards).to_have_text([f"Picture {number}" for number in range(6, 0, -1)])
    expect(gallery.count).to_have_text("6 pictures")
    expect(gallery.card("Picture 5")).to_be_focused()
    assert service.count() == 6


def test_deletion_that_ends_after_the_view_has_changed(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    held = hold(gallery.page, BATCH, most=1)
    gallery.pick("Picture 2", "Picture 4")
    gallery.toolbar.get_by_role("button", name="Delete").click()
    gallery.wait_until(lambda: held)
    gallery.page.get_by_role("button", name="Trash", exact=True).click()
    heading = gallery.page.get_by_role("heading", name="Trash", exact=True)
    expect(gallery.page.get_by_role("heading", name="The trash is empty")).to_be_visible()

    held[0].continue_()

    expect(gallery.cards).to_have_count(2)
    expect(heading).to_be_focused()
    gallery.page.get_by_role("button", name="Undo").click()
    expect(gallery.said).to_have_text("2 pictures are back")
    expect(gallery.page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    gallery.page.go_back()
    expect(gallery.count).to_have_text("6 pictures")


def test_what_could_not_be_changed_is_said_and_stays_selected(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    gallery.pick("Picture 1", "Picture 3", "Picture 5")
    # Another client has trashed two of them meanwhile.
    for number in (1, 5):
        found = service.query(f"SELECT id FROM image_metadata WHERE title = 'Picture {number}'")[0][0]
        service.api.request("DELETE", f"/api/images/{found}")
    gallery.toolbar.get_by_role("button", name="Move", exact=True).click()

    gallery.page.keyboard.type("Forest")
    gallery.page.keyboard.press("Enter")

    partly = "2 of 3 were not changed: This picture is in the trash."
    expect(gallery.page.locator(".toast")).to_contain_text(f"1 picture changed. {partly}")
    assert selected(gallery) == ["5", "1"]
    expect(gallery.toolbar).to_contain_text("2 selected")
    assert rows(service)["3"][0] == "Forest"
    gallery.page.get_by_role("button", name="Undo").click()
    expect(gallery.said).to_have_text("1 picture is as it was")
    assert rows(service)["3"][0] == "Sea"


def test_when_nothing_could_be_changed_all_stay_selected(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.route(BATCH, lambda route: route.fulfill(status=500, json=BROKEN))
    gallery.pick("Picture 1", "Picture 3")

    gallery.toolbar.get_by_role("button", name="Delete").click()

    expect(gallery.said).to_have_text("2 of 2 were not changed: Something went wrong on the server.")
    expect(gallery.page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(gallery.toolbar.get_by_role("button", name="Delete")).to_be_focused()
    assert selected(gallery) == ["3", "1"]


def test_temporary_error_is_retried_with_the_same_idempotency_key(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    keys: list[str] = []

    def lose_two(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fulfill(status=503, json=BUSY)
        elif len(keys) == 2:
            assert route.fetch().status == 200
            route.abort()
        else:
            route.continue_()

    gallery.page.route(BATCH, lose_two)
    gallery.pick("Picture 1", "Picture 3")
    gallery.toolbar.get_by_role("button", name="Delete").click()

    expect(gallery.said).to_have_text("2 pictures moved to the trash. Ctrl+Z undoes it.")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert service.count() == 4


def test_picture_whose_own_result_is_temporary_is_tried_again(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    asked: list[Any] = []

    def busy_once(route: Route) -> None:
        asked.append(route.request.post_data_json)
        if len(asked) > 1:
            return route.continue_()
        one, other = asked[0]["ids"]
        error = {"code": "database_unavailable", "message": "…"}
        results = [{"id": one, "status": 503, "error": error}, {"id": other, "status": 204}]
        return route.fulfill(json={"results": results, "succeeded": 1, "failed": 1})

    gallery.page.route(BATCH, busy_once)
    gallery.pick("Picture 1", "Picture 3")
    gallery.toolbar.get_by_role("button", name="Delete").click()

    expect(gallery.said).to_have_text("2 pictures moved to the trash. Ctrl+Z undoes it.")
    assert asked[1]["ids"] == asked[0]["ids"][:1]


def test_more_than_a_batch_is_sent_in_parts(open_gallery: OpenGallery, service: Service) -> None:
    service.clear()
    service.upload_many(230)
    gallery = open_gallery()
    gallery.wait_until(
        lambda: gallery.page.locator(".item").count() == 230,
        meanwhile=lambda: gallery.page.evaluate("scrollTo(0, document.body.scrollHeight)"),
    )
    sizes: list[int] = []

    def note_size(request: Request) -> None:
        if "/batch" in request.url and request.post_data_json:
            sizes.append(len(request.post_data_json["ids"]))

    gallery.page.on("request", note_size)
    gallery.page.locator(".card").last.focus()
    gallery.page.keyboard.press("Control+a")

    gallery.toolbar.get_by_role("button", name="Delete").click()

    expect(gallery.said).to_have_text("230 pictures moved to the trash. Ctrl+Z undoes it.")
    expect(gallery.page.get_by_role("heading", name="No pictures yet")).to_be_visible()
    assert sizes == [200, 30]
    assert service.count() == 0
    gallery.page.keyboard.press("Control+z")
    expect(gallery.said).to_have_text("230 pictures are back")
    expect(gallery.count).to_have_text("230 pictures")
    gallery.settle()
    assert service.count() == 230


def test_server_without_a_trash_asks_before_it_deletes(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs")
    change_answer(gallery.page, "**/api/keys/self", data={"trash_days": 0})
    gallery.page.goto(service.base_url)
    gallery.pick("Picture 1", "Picture 3")
    gallery.toolbar.get_by_role("button", name="Delete").click()
    dialog = gallery.page.get_by_role("dialog", name="Delete 2 pictures for good?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(gallery.cards).to_have_count(6)
    gallery.toolbar.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete for good").click()

    expect(gallery.said).to_have_text("2 pictures deleted for good")
    expect(gallery.cards).to_have_count(4)
    expect(gallery.page.get_by_role("button", name="Undo")).to_have_count(0)
