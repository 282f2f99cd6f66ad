"""If lists are slow or fail, the page reports it and can recover."""

from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Gallery, Service

FAILED = "Something went wrong on the server. Try again later."


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


def test_slow_list_says_that_it_loads(gallery: Gallery) -> None:
    expect(gallery.count).to_have_text("2 pictures")
    held = gallery.hold("**/api/images?q=*")

    gallery.page.get_by_role("searchbox").fill("picture 1")
    expect(gallery.count).to_have_text("Loading…")
    for route in held:
        route.continue_()

    expect(gallery.count).to_have_text("1 picture")


def test_list_that_has_to_wait_says_so(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(path="/health", stopped_clock=True)
    gallery.fail("**/api/images?*", status=503, code="database_unavailable", retry_after="20")
    gallery.enter()

    expect(gallery.count).to_have_text("The database is not responding. Trying again…")
    gallery.page.unroute("**/api/images?*")
    gallery.page.clock.run_for(26_000)
    expect(gallery.count).to_have_text("2 pictures")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            {"code": "payload_too_large", "details": {"max_bytes": 4_400_000}},
            "The file is larger than 4.4 MB. Choose a smaller one.",
        ),
        ({"code": "payload_too_large"}, "The file is too large. Choose a smaller one."),
        (
            {
                "code": "field_invalid",
                "details": {"field": "metadata.title", "reason": "too_long", "max": 200},
            },
            "“Title” is longer than 200 characters. Shorten it.",
        ),
        (
            {"code": "field_invalid", "details": {"field": "metadata.tags.3", "reason": "type"}},
            "The server does not accept this value of “Tags”. Change it.",
        ),
        (
            {"code": "field_invalid", "details": {"field": "scopes.1", "reason": "value"}},
            "The server does not accept this value of “scopes”. Change it.",
        ),
        (
            {"code": "parameter_invalid", "details": {"parameter": "limit", "reason": "type"}},
            "The server does not accept this value of “limit”. Change it.",
        ),
        ({"code": "cursor_invalid"}, "The server does not accept this request. Reload the page."),
        ({"code": "of_tomorrow", "message": "The moon is full."}, "The moon is full."),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_do(error: dict[str, Any], text: str, gallery: Gallery) -> None:
    explain = "async (error) => (await import('./assets/explain.js')).explain(error)"

    assert gallery.page.evaluate(explain, {"status": 422, **error}) == text
