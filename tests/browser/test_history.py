"""What happened to a picture, in its dialog."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import BROKEN, Gallery, Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def forest(service: Service) -> dict[str, Any]:
    service.clear()
    service.upload(jpeg(120, 80, seed=1), title="Harbour")
    return service.upload(jpeg(120, 80, seed=2), title="Forest", tags=["trees"])


def change(service: Service, image: dict[str, Any], key: str = "", **changes: Any) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(changes).encode()
    path = f"/api/images/{image['id']}"
    assert service.api.request("PATCH", path, headers=headers, body=body, key=key).status == 200


def open_history(gallery: Gallery, title: str) -> Locator:
    """Open a picture and its history; returns the lines."""
    gallery.open(title).get_by_text("History", exact=True).click()
    return gallery.page.locator("#history-list > li")


def test_history_tells_what_who_and_from_what_to_what(
    open_gallery: OpenGallery, service: Service, forest: dict[str, Any]
) -> None:
    other = service.make_key("images:write", "images:read")
    change(service, forest, tags=["trees", "mist"], description="Some trees.")
    change(service, forest, category="Green", key=other)
    own_id = service.query("SELECT id FROM api_keys ORDER BY created_at DESC LIMIT 1")[0][0]
    gallery = open_gallery()

    lines = open_history(gallery, "Forest")

    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text(f"Changed by the key …{str(own_id)[-8:]}")
    expect(lines.nth(0)).to_contain_text("Category: (empty) → Green")
    expect(lines.nth(1)).to_contain_text("Changed by the main key")
    expect(lines.nth(1)).to_contain_text("Tags: trees → trees, mist")
    expect(lines.nth(1)).to_contain_text("Description: (empty) → Some trees.")
    expect(lines.nth(1)).not_to_contain_text("updated_at")
    expect(lines.nth(2)).to_contain_text("Uploaded by the main key")
    expect(gallery.page.locator("#history-more")).to_be_hidden()


def test_own_key_is_named_as_such(
    open_gallery: OpenGallery, service: Service, forest: dict[str, Any]
) -> None:
    key = service.make_key("images:write", "images:read")
    change(service, forest, title="Wood", key=key)
    gallery = open_gallery(key=key)

    expect(open_history(gallery, "Wood").first).to_contain_text("Changed by this key")


def test_trash_and_restoration_are_in_it(
    open_gallery: OpenGallery, service: Service, forest: dict[str, Any]
) -> None:
    path = f"/api/images/{forest['id']}"
    assert service.api.request("DELETE", path).status == 204
    assert service.api.request("POST", f"{path}/restore").status == 200
    gallery = open_gallery(locale="ja-JP")
    gallery.card("Forest").click()
    gallery.page.get_by_text("履歴", exact=True).click()

    lines = gallery.page.locator("#history-list > li")

    expect(lines.locator("strong")).to_have_text(["復元", "ごみ箱に移動", "アップロード"])


def test_more_of_a_long_history_comes_on_demand(
    open_gallery: OpenGallery, service: Service, forest: dict[str, Any]
) -> None:
    for number in range(25):
        change(service, forest, description=f"Version {number}")
    gallery = open_gallery()
    lines = open_history(gallery, "Forest")
    expect(lines).to_have_count(20)

    more = gallery.detail.get_by_role("button", name="Older")
    more.focus()
    gallery.page.keyboard.press("Enter")

    expect(lines).to_have_count(26)
    expect(lines.nth(20)).to_be_focused()
    expect(more).to_be_hidden()


def test_history_that_fails_can_be_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.route("**/history?*", lambda route: route.fulfill(status=500, json=BROKEN))
    lines = open_history(gallery, "Forest")
    expect(gallery.detail.get_by_text("Something went wrong on the server.")).to_be_visible()

    gallery.page.unroute("**/history?*")
    gallery.detail.get_by_role("button", name="Try again").click()

    expect(lines).to_have_count(1)
    expect(gallery.detail.get_by_text("Something went wrong on the server.")).to_be_hidden()


def test_history_belongs_to_the_picture_that_is_shown(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    asked: list[str] = []
    gallery.page.on(
        "request", lambda request: asked.append(request.url) if "/history" in request.url else None
    )
    gallery.open("Forest")
    gallery.page.wait_for_timeout(300)
    assert asked == []
    gallery.detail.get_by_text("History", exact=True).click()
    expect(gallery.page.locator("#history-list > li")).to_have_count(1)

    gallery.page.keyboard.press("ArrowRight")
    expect(gallery.detail.get_by_role("heading", name="Harbour")).to_be_visible()

    expect(gallery.page.locator("#history-list > li")).to_be_hidden()
    assert len(asked) == 1


def test_edit_appears_in_an_open_history(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    lines = open_history(gallery, "Forest")
    expect(lines).to_have_count(1)
    gallery.detail.get_by_role("button", name="Edit").click()
    gallery.detail.get_by_label("Title").fill("Wood")

    gallery.detail.get_by_role("button", name="Save").click()

    expect(lines.first).to_contain_text("Title: Forest → Wood")
