"""A real browser on a real service: `python -m local run` with stores of its own, and headless Chromium.

Needed are Chromium (`apt-get install chromium`, or its path in CHROMIUM) and npm (for axe-core).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.gallery import API_KEY, RETRY_SECONDS, Gallery, Service
from tests.integration.run import ROOT, Run

CHROMIUM = shutil.which(os.environ.get("CHROMIUM") or "chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
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
        # A new, empty profile each time: Playwright makes one and removes it.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def open_gallery(service: Service, browser: Browser) -> Iterator[OpenGallery]:
    """Opens the gallery in a window of its own: ``open_gallery(with_key=False, color_scheme="dark")``.

    With ``stopped_clock`` no time passes for the page but by ``clock.run_for``, from its first script on: a
    clock that is put in later cannot end the timers that run by then.

    Whatever a page complains of fails the test, but for requests whose errors the page itself shows.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *,
        with_key: bool = True,
        path: str = "/",
        script: str = "",
        stopped_clock: bool = False,
        **options: Any,
    ) -> Gallery:
        size = {"width": 1280, "height": 800}
        context = browser.new_context(**{"viewport": size, "locale": "en-GB", **options})
        contexts.append(context)
        if with_key:
            context.add_init_script(f'sessionStorage.setItem("image-api-key", "{API_KEY}")')
        context.add_init_script(script)
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


def listen(page: Page, complaints: list[str]) -> None:
    page.on(
        "response",
        lambda answer: (
            complaints.append(f"{answer.status} {answer.url}")
            if "/assets/" in answer.url and answer.status >= 400
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and "Failed to load resource" not in message.text
            else None
        ),
    )
