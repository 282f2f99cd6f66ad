"""Changing all selected pictures at once: tags, category and trash, each with one undo, and failures."""

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import rows
from tests.browser.gallery import BATCH, THUMBNAILS, Gallery, Service

pytestmark = pytest.mark.usefixtures("six_tagged")


def test_add_tags_and_undo(gallery: Gallery, service: Service) -> None:
    before = rows(service)
    gallery.pick("Picture 1", "Picture 2")
    gallery.act("Add tags")
    expect(gallery.dialog("Add tags to 2 pictures").get_by_role("textbox")).to_be_focused()

    gallery.page.keyboard.type("even, 夏、 new,")
    gallery.press("Enter")

    expect(gallery.said).to_have_text("Changed 2 pictures. Press Ctrl+Z to undo.")
    expect(gallery.toolbar).to_be_hidden()
    expect(gallery.page.locator("#tags option")).to_contain_text(["new (2)"])
    changed = ("Sea", ["many", "even", "夏", "new"])
    assert rows(service) == before | {"1": changed, "2": changed}
    gallery.press("Control+z")

    expect(gallery.said).to_have_text("Undid the changes to 2 pictures")
    assert rows(service) == before


def test_remove_tags_and_undo(gallery: Gallery, service: Service) -> None:
    before = rows(service)
    gallery.pick("Picture 1", "Picture 2", "Picture 4")
    gallery.act("Remove tags")
    dialog = gallery.dialog("Remove tags from 3 pictures")
    remove = dialog.get_by_role("button", name="Remove")
    expect(dialog.get_by_role("checkbox", name="many (3)")).to_be_focused()
    remove.click()
    expect(dialog).to_be_visible()  # nothing is chosen yet

    dialog.get_by_role("checkbox", name="even (2)").check()
    remove.click()

    expect(gallery.said).to_have_text("Changed 3 pictures. Press Ctrl+Z to undo.")
    assert [rows(service)[name][1] for name in "124"] == [["many"]] * 3
    gallery.open("Picture 2")
    expect(gallery.page.locator("#detail-tags button")).to_have_text(["many"])
    gallery.press("Escape")
    gallery.button("Undo").click()
    expect(gallery.said).to_have_text("Undid the changes to 2 pictures")
    assert rows(service) == before


@pytest.mark.parametrize(("category", "counts"), [("Forest", ["Forest (3)", "Sea (2)"]), ("", ["Sea (2)"])])
def test_move_to_a_category_and_undo(
    category: str, counts: list[str], gallery: Gallery, service: Service
) -> None:
    before = rows(service)
    gallery.pick("Picture 3", "Picture 4", "Picture 5")
    gallery.act("Set category")
    dialog = gallery.dialog("Set the category of 3 pictures")

    dialog.get_by_role("combobox").fill(category)
    dialog.get_by_role("button", name="Set category", exact=True).click()

    expect(gallery.said).to_have_text("Changed 3 pictures. Press Ctrl+Z to undo.")
    expect(gallery.categories).to_have_text(["All categories", *counts])
    assert [rows(service)[name][0] for name in "345"] == [category] * 3
    gallery.button("Undo").click()
    expect(gallery.said).to_have_text("Undid the changes to 3 pictures")
    assert rows(service) == before
    expect(gallery.categories).to_have_text(["All categories", "Sea (3)"])


def test_trash_with_one_undo_for_all(gallery: Gallery, service: Service) -> None:
    gallery.pick("Picture 2", "Picture 4", "Picture 5")

    gallery.act("Move to trash")

    expect(gallery.said).to_have_text("Moved 3 pictures to the trash. Press Ctrl+Z to undo.")
    expect(gallery.cards).to_have_text(["Picture 6", "Picture 3", "Picture 1"])
    expect(gallery.count).to_have_text("3 pictures")
    expect(gallery.categories).to_have_text(["All categories", "Sea (2)"])
    expect(gallery.button("Undo")).to_be_focused()
    assert service.count() == 3
    gallery.press("Enter")

    expect(gallery.said).to_have_text("Restored 3 pictures")
    expect(gallery.cards).to_have_text([f"Picture {number}" for number in range(6, 0, -1)])
    expect(gallery.count).to_have_text("6 pictures")
    expect(gallery.card("Picture 5")).to_be_focused()
    assert service.count() == 6


def test_what_could_not_be_changed_is_said_and_stays_selected(gallery: Gallery, service: Service) -> None:
    gallery.pick("Picture 1", "Picture 3", "Picture 5")
    # Another client has trashed two of them meanwhile.
    for number in (1, 5):
        service.trash(service.find(f"Picture {number}"))
    gallery.act("Set category")

    gallery.page.keyboard.type("Forest")
    gallery.press("Enter")

    partly = "2 of 3 pictures were not changed. This picture is in the trash."
    expect(gallery.toast).to_contain_text(f"Changed 1 picture. {partly}")
    assert gallery.selected() == ["5", "1"]
    expect(gallery.toolbar).to_contain_text("2 selected")
    assert rows(service)["3"][0] == "Forest"
    gallery.button("Undo").click()
    expect(gallery.said).to_have_text("Undid the change to 1 picture")
    assert rows(service)["3"][0] == "Sea"


def test_when_nothing_could_be_changed_all_stay_selected(gallery: Gallery) -> None:
    gallery.fail(BATCH)
    gallery.pick("Picture 1", "Picture 3")

    gallery.act("Move to trash")

    expect(gallery.said).to_have_text(
        "2 of 2 pictures were not changed. Something went wrong on the server. Try again later."
    )
    expect(gallery.button("Undo")).to_have_count(0)
    expect(gallery.toolbar.get_by_role("button", name="Move to trash")).to_be_focused()
    assert gallery.selected() == ["3", "1"]


def test_temporary_error_is_retried_with_the_same_idempotency_key(gallery: Gallery) -> None:
    keys: list[str] = []

    def lose_two(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            error = {"code": "database_unavailable", "message": "…"}
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": error})
        elif len(keys) == 2:
            assert route.fetch().status == 200
            route.abort()
        else:
            route.continue_()

    gallery.page.route(BATCH, lose_two)
    gallery.pick("Picture 1", "Picture 3")
    gallery.act("Move to trash")

    expect(gallery.said).to_have_text("Moved 2 pictures to the trash. Press Ctrl+Z to undo.")
    assert (len(keys), len(set(keys))) == (3, 1)
    assert gallery.service.count() == 4


def test_picture_whose_own_result_is_temporary_is_tried_again(gallery: Gallery) -> None:
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
    gallery.act("Move to trash")

    expect(gallery.said).to_have_text("Moved 2 pictures to the trash. Press Ctrl+Z to undo.")
    assert asked[1]["ids"] == asked[0]["ids"][:1]


def test_more_than_a_batch_is_sent_in_parts(gallery: Gallery, service: Service) -> None:
    service.upload_many(230)
    gallery.enter()
    gallery.scroll_until(lambda: gallery.page.locator(".item").count() == 230)
    asked = gallery.watch("/batch")
    gallery.cards.last.focus()
    gallery.press("Control+a")

    gallery.act("Move to trash")

    expect(gallery.said).to_have_text("Moved 230 pictures to the trash. Press Ctrl+Z to undo.")
    expect(gallery.heading("No pictures yet")).to_be_visible()
    sizes = [len(request.post_data_json["ids"]) for request in asked if request.post_data_json]
    assert sizes == [200, 30]
    assert service.count() == 0
    gallery.press("Control+z")
    expect(gallery.said).to_have_text("Restored 230 pictures")
    expect(gallery.count).to_have_text("230 pictures")
    gallery.settle()
    assert service.count() == 230


def test_thumbnail_that_failed_in_the_trash_is_loaded_when_its_picture_is_back(waiting: Gallery) -> None:
    held = waiting.hold(THUMBNAILS)
    waiting.enter()
    waiting.pick("Picture 1", "Picture 3")
    waiting.act("Move to trash")
    expect(waiting.said).to_contain_text("Moved 2 pictures to the trash")

    for route in held:
        route.fulfill(status=404, json={"error": {"code": "image_not_found"}})
    expect(waiting.page.locator(".lost")).to_have_count(2)
    waiting.page.unroute(THUMBNAILS)
    waiting.press("Control+z")

    expect(waiting.page.locator("img.loaded")).to_have_count(6)
    expect(waiting.page.locator(".lost")).to_have_count(0)


def test_server_without_a_trash_asks_before_it_deletes(waiting: Gallery) -> None:
    waiting.change_service(trash_days=0)
    waiting.enter()
    waiting.pick("Picture 1", "Picture 3")
    dialog = waiting.dialog("Delete 2 pictures permanently?")
    waiting.act("Delete permanently")
    dialog.get_by_role("button", name="Cancel").click()
    expect(waiting.cards).to_have_count(6)
    waiting.act("Delete permanently")
    dialog.get_by_role("button", name="Delete permanently").click()

    expect(waiting.said).to_have_text("Deleted 2 pictures permanently")
    expect(waiting.cards).to_have_count(4)
    expect(waiting.button("Undo")).to_have_count(0)
