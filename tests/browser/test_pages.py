"""The pages under a stage prefix, and the interactive API documentation."""

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import API_KEY, Gallery, Service
from tests.support.pictures import jpeg


@pytest.fixture(autouse=True)
def staged(service: Service) -> None:
    service.refill("Staged")


def serve_under_stage(gallery: Gallery) -> list[str]:
    """Also serve under /v1, as on AWS. Returns the URLs requested outside it."""
    elsewhere: list[str] = []
    base_url, context = gallery.service.base_url, gallery.page.context
    prefix = f"{base_url}/v1/"
    context.route(
        f"{prefix}**", lambda route: route.continue_(url=route.request.url.replace(prefix, f"{base_url}/"))
    )
    context.on(
        "request", lambda request: None if request.url.startswith(prefix) else elsewhere.append(request.url)
    )
    return elsewhere


def test_gallery_under_a_stage(waiting: Gallery) -> None:
    elsewhere = serve_under_stage(waiting)

    waiting.enter("/v1/")
    waiting.open("Staged")
    waiting.press("Escape")
    waiting.upload({"more.jpg": jpeg(seed="more")})
    expect(waiting.card("more")).to_be_visible()

    assert waiting.page.url == f"{waiting.service.base_url}/v1/"
    # Links use the address of the request.
    store: str = waiting.service.info["s3"]["endpoint_url"]
    allowed = (f"{waiting.service.base_url}/images/", store, "blob:", "data:")
    assert [url for url in elsewhere if not url.startswith(allowed)] == []


def test_page_that_is_not_loaded_whole_says_so(waiting: Gallery) -> None:
    page = waiting.page
    page.route("**/assets/grid.js", lambda route: route.abort())
    waiting.enter()
    expect(page.get_by_role("heading", level=1)).to_be_hidden()
    expect(page.get_by_text("This is taking longer than usual.")).to_be_visible(timeout=15_000)

    page.unroute("**/assets/grid.js")
    page.get_by_role("link", name="Try again").click()

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("This is taking longer than usual.")).to_be_hidden()


def test_description_can_be_tried_under_a_stage(waiting: Gallery) -> None:
    page, elsewhere = waiting.page, serve_under_stage(waiting)
    waiting.enter("/v1/docs")
    waiting.button("Authorize").click()
    page.get_by_label("auth-api-key-value").or_(page.locator(".auth-container input")).first.fill(API_KEY)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()

    page.locator("#operations-Images-listImages .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    answer = page.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text("Staged")
    assert [url for url in elsewhere if not url.startswith("data:")] == []
