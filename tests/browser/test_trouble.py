"""Lists that are slow or fail, and keys that no server can accept: the page says so and can recover."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, BROKEN, BUSY, Service, hold
from tests.support.pictures import jpeg

FACETS = ["All categories", "Sea (2)"]


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.clear()
    for number in (1, 2):
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", category="Sea")


def test_search_that_fails_takes_the_old_results_away(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    expect(gallery.cards).to_have_count(2)
    gallery.page.route("**/api/images?q=*", lambda route: route.fulfill(status=500, json=BROKEN))

    gallery.page.get_by_role("searchbox").fill("picture 1")

    trouble = gallery.page.get_by_role("alert").filter(has_text="Something went wrong on the server.")
    expect(trouble).to_be_in_viewport()
    expect(gallery.cards).to_have_count(0)
    expect(gallery.count).to_have_text("")
    gallery.page.unroute("**/api/images?q=*")
    trouble.get_by_role("button", name="Try again").click()
    expect(gallery.count).to_be_focused()
    expect(gallery.cards).to_have_text(["Picture 1"])
    expect(gallery.count).to_have_text("1 picture")


def test_list_whose_connection_is_lost_halfway_is_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False)
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


def test_slow_list_says_that_it_loads(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    expect(gallery.count).to_have_text("2 pictures")
    held = hold(gallery.page, "**/api/images?q=*")

    gallery.page.get_by_role("searchbox").fill("picture 1")
    expect(gallery.count).to_have_text("Loading…")
    for route in held:
        route.continue_()

    expect(gallery.count).to_have_text("1 picture")


def test_list_that_has_to_wait_says_so(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs", stopped_clock=True)
    answers: list[Route] = []

    def refuse_once(route: Route) -> None:
        answers.append(route)
        if len(answers) == 1:
            route.fulfill(status=503, headers={"Retry-After": "20"}, json=BUSY)
        else:
            route.continue_()

    gallery.page.route("**/api/images?*", refuse_once)
    gallery.page.goto(service.base_url)

    expect(gallery.count).to_have_text("The database does not answer. Trying again…")
    gallery.page.clock.run_for(26_000)
    expect(gallery.count).to_have_text("2 pictures")


def test_key_in_full_width_letters_is_understood(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in API_KEY)

    gallery.page.get_by_label("API key", exact=True).fill(f"{wide}\u3000")
    gallery.page.keyboard.press("Enter")

    expect(gallery.count).to_have_text("2 pictures")
    assert gallery.page.evaluate("sessionStorage.getItem('image-api-key')") == API_KEY


@pytest.mark.parametrize("text", ["鍵", " ", "key\u200b"])
def test_key_that_no_request_can_carry_is_refused(text: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False)
    dialog = gallery.page.get_by_role("dialog", name="Your API key")

    dialog.get_by_label("API key", exact=True).fill(text)
    gallery.page.keyboard.press("Enter")

    expect(dialog.get_by_role("alert")).to_have_text("The server does not accept this key.")
    expect(dialog.get_by_label("API key", exact=True)).to_be_focused()
    assert gallery.page.evaluate("sessionStorage.length") == 0
    dialog.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.keyboard.press("Enter")
    expect(gallery.count).to_have_text("2 pictures")


def test_key_that_was_kept_but_cannot_be_carried_is_asked_for_again(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False, script='sessionStorage.setItem("image-api-key", "鍵")')

    gallery.page.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.keyboard.press("Enter")

    expect(gallery.count).to_have_text("2 pictures")


@pytest.mark.parametrize("way", ["Try again", "Key"])
def test_categories_are_there_once_a_key_is_given(way: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery(with_key=False)
    dialog = gallery.page.get_by_role("dialog", name="Your API key")
    dialog.get_by_role("button", name="Cancel").click()
    expect(gallery.page.get_by_role("alert").filter(has_text="An API key is needed.")).to_be_visible()

    gallery.page.get_by_role("button", name=way, exact=True).click()
    dialog.get_by_label("API key", exact=True).fill(API_KEY)
    gallery.page.keyboard.press("Enter")

    expect(gallery.count).to_have_text("2 pictures")
    expect(gallery.page.locator("#category option")).to_have_text(FACETS)


def test_categories_are_there_once_the_server_is(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/docs")
    gallery.page.route("**/api/*", lambda route: route.fulfill(status=500, json=BROKEN))
    gallery.page.goto(service.base_url)
    trouble = gallery.page.get_by_role("alert").filter(has_text="Something went wrong on the server.")
    expect(trouble).to_be_visible()
    gallery.page.unroute("**/api/*")

    trouble.get_by_role("button", name="Try again").click()

    expect(gallery.page.locator("#category option")).to_have_text(FACETS)
