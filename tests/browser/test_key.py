"""The page asks for the key once, keeps it for the tab, and asks again if the key is invalid."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Gallery, Service

REFUSED = "The server does not accept this key. Check it, or enter another key."


@pytest.fixture(autouse=True)
def two(service: Service) -> None:
    service.refill("Picture 1", "Picture 2", category="Sea")


@pytest.fixture
def asking(open_gallery: OpenGallery) -> Gallery:
    return open_gallery(key="")


def test_key_is_asked_for_once_and_kept_for_the_tab(asking: Gallery) -> None:
    asking.page.get_by_label("API key", exact=True).fill(API_KEY)
    asking.button("Continue").click()
    expect(asking.count).to_have_text("2 pictures")

    asking.page.reload()

    expect(asking.count).to_have_text("2 pictures")
    expect(asking.dialog("Your API key")).to_be_hidden()
    assert asking.page.evaluate("localStorage.length + document.cookie") == "0"
    assert API_KEY not in asking.page.evaluate("document.documentElement.outerHTML + location.href")


@pytest.mark.parametrize(("key", "problem"), [("no longer right", REFUSED), ("鍵", "")])
def test_kept_key_that_is_refused_is_asked_for_again(
    key: str, problem: str, open_gallery: OpenGallery
) -> None:
    gallery = open_gallery(key=key)
    expect(gallery.dialog("Your API key")).to_be_visible()
    expect(gallery.dialog("Your API key").get_by_role("alert")).to_have_text(problem)

    gallery.use_key(API_KEY)

    expect(gallery.count).to_have_text("2 pictures")


@pytest.mark.parametrize("way", ["Try again", "API key"])
def test_list_and_categories_are_there_once_a_key_is_given(way: str, asking: Gallery) -> None:
    asking.dialog("Your API key").get_by_role("button", name="Cancel").click()
    trouble = asking.alert("This page requires an API key.")
    expect(trouble).to_be_visible()

    asking.button(way).click()
    asking.use_key(API_KEY)

    expect(asking.count).to_have_text("2 pictures")
    expect(asking.categories).to_have_text(["All categories", "Sea (2)"])
    expect(trouble).to_be_hidden()


def test_key_in_full_width_letters_is_understood(asking: Gallery) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in API_KEY)

    asking.use_key(f"{wide}\u3000")

    expect(asking.count).to_have_text("2 pictures")
    assert asking.page.evaluate("sessionStorage.getItem('image-api-key')") == API_KEY


@pytest.mark.parametrize("text", ["鍵", " ", "key\u200b"])
def test_key_that_no_request_can_carry_is_refused(text: str, asking: Gallery) -> None:
    asking.use_key(text)

    expect(asking.dialog("Your API key").get_by_role("alert")).to_have_text(REFUSED)
    assert asking.page.evaluate("sessionStorage.length") == 0
    asking.use_key(API_KEY)
    expect(asking.count).to_have_text("2 pictures")
