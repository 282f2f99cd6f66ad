"""A real browser and a real service: headless Chromium, and `python -m local run` with its own stores.

The tests need Chromium (`apt-get install chromium`, or its path in CHROMIUM) and npm (for axe-core).
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import ROOT
from tests.browser.gallery import API_KEY, RETRY_SECONDS, Gallery, Service
from tests.integration.run import Run
from tests.support.pictures import jpeg

CHROMIUM = shutil.which(os.environ.get("CHROMIUM") or "chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
OpenGallery = Callable[..., Gallery]
expect.set_options(timeout=RETRY_SECONDS * 1_000)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    run = Run(tmp_path_factory.mktemp("browser") / "data", ROOT / "template.yaml", {"API_KEY": API_KEY})
    try:
        yield Service(run)
    finally:
        run.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.fail("Chromium is needed: apt-get install chromium, or name another in the variable CHROMIUM.")
    with sync_playwright() as playwright:
        # Playwright creates and removes an empty profile each time.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def open_gallery(service: Service, browser: Browser) -> Iterator[OpenGallery]:
    """Open the gallery in its own window: ``open_gallery(key="", color_scheme="dark")``.

    With ``scopes``, its key is a new one that has only these.

    With ``stopped_clock``, the page's time advances only by ``clock.run_for``. The clock is installed before
    the first script, because a later one cannot stop running timers.

    Any console error or warning fails the test, except failed requests, which the page itself reports.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *,
        key: str = API_KEY,
        scopes: Sequence[str] = (),
        path: str = "/",
        stopped_clock: bool = False,
        **options: Any,
    ) -> Gallery:
        size = {"width": 1280, "height": 800}
        context = browser.new_context(**{"viewport": size, "locale": "en-GB", **options})
        contexts.append(context)
        if scopes:
            key = service.make_key(*scopes)
        if key:
            context.add_init_script(f'sessionStorage.setItem("image-api-key", "{key}")')
        if stopped_clock:
            now = datetime.now()
            context.clock.install(time=now)
            context.clock.pause_at(now)
        page = context.new_page()
        listen(page, complaints)
        page.goto(service.base_url + path)
        return Gallery(page, service)

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    """The gallery, which opens after the uploads of a module's fixtures."""
    return open_gallery()


@pytest.fixture
def waiting(open_gallery: OpenGallery) -> Gallery:
    """A page whose routes a test can change before :meth:`Gallery.enter` opens the gallery."""
    return open_gallery(path="/health")


@pytest.fixture
def six_tagged(service: Service) -> None:
    """Pictures 6 to 1, the newest first. The even ones have a tag, the first three a category."""
    service.clear()
    for number in range(1, 7):
        tags = ["many"] if number % 2 else ["many", "even"]
        category = "Sea" if number <= 3 else ""
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", tags=tags, category=category)


def rows(service: Service) -> dict[str, tuple[str, list[str]]]:
    found = service.query("SELECT title, category, tags FROM image_metadata")
    return {title.removeprefix("Picture "): (category, tags) for title, category, tags in found}


def listen(page: Page, complaints: list[str]) -> None:
    def note_answer(answer: Any) -> None:
        if "/assets/" in answer.url and answer.status >= 400:
            complaints.append(f"{answer.status} {answer.url}")

    def note_message(message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("response", note_answer)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(str(error)))
