"""The history of a picture, in its dialog."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service


@pytest.fixture(autouse=True)
def forest(service: Service) -> str:
    """The path of a picture."""
    _, image = service.refill("Harbour", "Forest", tags=["trees"])
    return f"/api/images/{image['id']}"


def test_history_tells_what_who_and_from_what_to_what(
    open_gallery: OpenGallery, service: Service, forest: str
) -> None:
    keys = [service.make_key("images:write", "images:read") for _ in range(2)]
    service.send("DELETE", forest)
    service.send("POST", f"{forest}/restore")
    service.send("PATCH", forest, {"tags": ["trees", "mist"], "description": "Some trees."})
    service.send("PATCH", forest, {"category": "Green"}, keys[0])
    service.send("PATCH", forest, {"title": "Wood"}, keys[1])
    (other_id,) = service.query("SELECT id FROM api_keys ORDER BY created_at LIMIT 1")[0]
    gallery = open_gallery(key=keys[1])
    lines = gallery.history

    gallery.open_history("Wood")

    expect(lines).to_have_count(6)
    expect(lines.nth(0)).to_contain_text("Changed by this key")
    expect(lines.nth(0)).to_contain_text("Title: Forest → Wood")
    expect(lines.nth(1)).to_contain_text(f"Changed by the key …{str(other_id)[-8:]}")
    expect(lines.nth(1)).to_contain_text("Category: (empty) → Green")
    expect(lines.nth(2)).to_contain_text("Changed by the root key")
    expect(lines.nth(2)).to_contain_text("Tags: trees → trees, mist")
    expect(lines.nth(2)).to_contain_text("Description: (empty) → Some trees.")
    expect(lines.nth(2)).not_to_contain_text("updated_at")
    expect(lines.nth(3)).to_contain_text("Restored by the root key")
    expect(lines.nth(4)).to_contain_text("Moved to the trash by the root key")
    expect(lines.nth(5)).to_contain_text("Uploaded by the root key")
    expect(gallery.page.locator("#history-more")).to_be_hidden()


def test_more_of_a_long_history_comes_on_demand(gallery: Gallery, forest: str) -> None:
    for number in range(25):
        gallery.service.send("PATCH", forest, {"description": f"Version {number}"})
    gallery.open_history("Forest")
    expect(gallery.history).to_have_count(20)

    more = gallery.detail.get_by_role("button", name="Show older changes")
    more.focus()
    gallery.press("Enter")

    expect(gallery.history).to_have_count(26)
    expect(gallery.history.nth(20)).to_be_focused()
    expect(more).to_be_hidden()


def test_history_that_fails_can_be_asked_for_again(gallery: Gallery) -> None:
    gallery.fail("**/changes?*")
    trouble = gallery.detail.get_by_text("Something went wrong on the server. Try again later.")
    gallery.open_history("Forest")
    expect(trouble).to_be_visible()

    gallery.page.unroute("**/changes?*")
    gallery.detail.get_by_role("button", name="Try again").click()

    expect(gallery.history).to_have_count(1)
    expect(trouble).to_be_hidden()


def test_history_belongs_to_the_picture_that_is_shown(gallery: Gallery) -> None:
    asked = gallery.watch("/changes")
    gallery.open("Forest")
    gallery.page.wait_for_timeout(300)
    assert asked == []
    gallery.detail.get_by_text("History", exact=True).click()
    expect(gallery.history).to_have_count(1)

    gallery.press("ArrowRight")
    expect(gallery.detail.get_by_role("heading", name="Harbour")).to_be_visible()

    expect(gallery.history).to_be_hidden()
    assert len(asked) == 1


def test_edit_appears_in_an_open_history(gallery: Gallery) -> None:
    gallery.open_history("Forest")
    expect(gallery.history).to_have_count(1)

    gallery.edit(Title="Wood")
    gallery.save()

    expect(gallery.history.first).to_contain_text("Title: Forest → Wood")
