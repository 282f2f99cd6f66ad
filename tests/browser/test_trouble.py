"""If lists are slow or fail, the page reports it and can recover."""

from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Gallery, Service

FAILED = "Something went wrong on the server. Try again later."
UNACCEPTABLE = "The server does not accept this value of"
TOO_LONG = {"field": "metadata.title", "reason": "too_long", "max": 200}
ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("payload_too_large", {"max_bytes": 4_400_000}, "The file is larger than 4.4 MB. Choose a smaller one."),
    ("payload_too_large", {}, "The file is too large. Choose a smaller one."),
    ("field_invalid", TOO_LONG, "“Title” is longer than 200 characters. Shorten it."),
    ("field_invalid", {"field": "metadata.tags.3", "reason": "type"}, f"{UNACCEPTABLE} “Tags”. Change it."),
    ("field_invalid", {"field": "scopes.1", "reason": "value"}, f"{UNACCEPTABLE} “scopes”. Change it."),
    ("parameter_invalid", {"parameter": "limit", "reason": "type"}, f"{UNACCEPTABLE} “limit”. Change it."),
    ("scope_missing", {"scope": "images:write"}, "This key cannot add or change pictures."),
    ("cursor_invalid", {}, "The server does not accept this request. Reload the page."),
    ("of_tomorrow", {}, "The moon is full."),
]


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.refill("Picture 1", "Picture 2", category="Sea")


def test_search_that_fails_takes_the_old_results_away(gallery: Gallery) -> None:
    expect(gallery.cards).to_have_count(2)
    gallery.fail("**/api/images?q=*")

    gallery.page.get_by_role("searchbox").fill("picture 1")

    trouble = gallery.alert(FAILED)
    expect(trouble).to_be_in_viewport()
    expect(gallery.cards).to_have_count(0)
    expect(gallery.count).to_have_text("")
    gallery.page.unroute("**/api/images?q=*")
    trouble.get_by_role("button", name="Try again").click()
    expect(gallery.count).to_be_focused()
    expect(gallery.cards).to_have_text(["Picture 1"])
    expect(gallery.count).to_have_text("1 picture")


def test_server_that_cannot_be_reached_is_asked_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/health", stopped_clock=True)
    gallery.page.route("**/api/*", lambda route: route.abort())
    gallery.enter()
    trouble = gallery.alert("The server cannot be reached.")
    gallery.wait_until(trouble.is_visible, meanwhile=lambda: gallery.page.clock.run_for(3_000))

    gallery.page.unroute("**/api/*")
    trouble.get_by_role("button", name="Try again").click()

    expect(gallery.count).to_have_text("2 pictures")
    expect(trouble).to_be_hidden()
    # The categories may still wait for their next attempt.
    run_clock = partial(gallery.page.clock.run_for, 3_000)
    gallery.wait_until(lambda: gallery.categories.count() == 2, meanwhile=run_clock)
    expect(gallery.categories).to_have_text(["All categories", "Sea (2)"])


def test_list_whose_connection_is_lost_halfway_is_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(key="")
    gallery.page.add_init_script(
        """const { fetch } = window;
        window.lost = 0;
        window.fetch = async (...request) => {
          const response = await fetch(...request);
          if (String(request[0]).includes("api/images?") && window.lost++ < 1) {
            response.text = () => Promise.reject(new TypeError("network error"));
          }
          return response;
        };"""
    )
    gallery.page.evaluate("key => sessionStorage.setItem('image-api-key', key)", API_KEY)
    gallery.page.reload()

    expect(gallery.cards).to_have_count(2)
    assert gallery.page.evaluate("lost") > 1


def test_list_that_has_to_wait_says_so(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/health", stopped_clock=True)
    gallery.fail("**/api/images?*", status=503, code="database_unavailable", retry_after="20")
    gallery.enter()

    expect(gallery.count).to_have_text("The database is not responding. Trying again…")
    gallery.page.unroute("**/api/images?*")
    gallery.page.clock.run_for(26_000)
    expect(gallery.count).to_have_text("2 pictures")


def test_errors_say_what_is_wrong_and_what_to_do(gallery: Gallery) -> None:
    explain = "async (error) => (await import('./assets/explain.js')).explain(error)"
    for code, details, text in ERRORS:
        error = {"status": 422, "code": code, "details": details, "message": "The moon is full."}

        assert gallery.page.evaluate(explain, error) == text
