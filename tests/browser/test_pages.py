"""The pages under a stage prefix, and the interactive API documentation."""

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import API_KEY, Service
from tests.support.pictures import jpeg


def serve_under_stage(context: BrowserContext, service: Service) -> list[str]:
    """Also serve under /v1, as on AWS. Returns the URLs requested outside it."""
    elsewhere: list[str] = []
    prefix = f"{service.base_url}/v1/"
    context.route(
        f"{prefix}**",
        lambda route: route.continue_(url=route.request.url.replace(prefix, f"{service.base_url}/")),
    )
    context.on(
        "request", lambda request: None if request.url.startswith(prefix) else elsewhere.append(request.url)
    )
    return elsewhere


def test_gallery_under_a_stage(open_gallery: OpenGallery, service: Service) -> None:
    service.clear()
    service.upload(jpeg(seed="stage"), title="Staged")
    gallery = open_gallery(path="/health")
    elsewhere = serve_under_stage(gallery.page.context, service)

    gallery.page.goto(f"{service.base_url}/v1/")
    gallery.open("Staged")
    gallery.page.keyboard.press("Escape")
    gallery.upload({"more.jpg": jpeg(seed="more")})
    expect(gallery.card("more")).to_be_visible()

    assert gallery.page.url == f"{service.base_url}/v1/"
    # Image links use the address at which the service itself is called.
    allowed = (f"{service.base_url}/images/", service.info["s3"]["endpoint_url"], "blob:", "data:")
    assert [url for url in elsewhere if not url.startswith(allowed)] == []


def test_page_that_is_not_loaded_whole_says_so(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(path="/health")
    page = gallery.page
    page.route("**/assets/grid.js", lambda route: route.abort())
    page.goto(service.base_url)
    expect(page.get_by_role("heading", level=1)).to_be_hidden()
    expect(page.get_by_text("Loading takes long.")).to_be_visible(timeout=15_000)

    page.unroute("**/assets/grid.js")
    page.get_by_role("link", name="Try again").click()

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Loading takes long.")).to_be_hidden()


def test_description_can_be_tried_under_a_stage(open_gallery: OpenGallery, service: Service) -> None:
    service.clear()
    service.upload(jpeg(seed="try"), title="Tried out")
    gallery = open_gallery(path="/health", viewport={"width": 1280, "height": 1400})
    page = gallery.page
    elsewhere = serve_under_stage(page.context, service)
    page.goto(f"{service.base_url}/v1/docs")
    expect(page.get_by_role("heading", name="Image service")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-api-key-value").or_(page.locator(".auth-container input")).first.fill(API_KEY)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()

    page.locator("#operations-Images-listImages .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    answer = page.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text("Tried out")
    assert [url for url in elsewhere if not url.startswith("data:")] == []
