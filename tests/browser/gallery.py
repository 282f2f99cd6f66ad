"""Drives the gallery as a user does, and gives tests access to the service behind it."""

import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.e2e.client import Api
from tests.integration.run import Run
from tests.support.pictures import jpeg

API_KEY = "your-api-key-here"
RETRY_SECONDS = 30  # for busy machines
BROKEN = {"error": {"code": "internal_error", "message": "…"}}
BUSY = {"error": {"code": "database_unavailable", "message": "…"}}


class Service:
    """A running service."""

    def __init__(self, run: Run) -> None:
        self.base_url: str = run.info["base_url"]
        self.info: dict[str, Any] = run.info
        self.api = Api(self.base_url, API_KEY)
        self._run = run

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self._run.connect_database()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def clear(self) -> None:
        self.query(
            "TRUNCATE image_metadata, trashed_images, uploads, pending_removals, facet_counts, facet_changes,"
            " changes, batches CASCADE"
        )

    def make_key(self, *scopes: str) -> str:
        body = json.dumps({"name": " ".join(scopes), "scopes": scopes}).encode()
        answer = self.api.request(
            "POST", "/api/keys", headers={"Content-Type": "application/json"}, body=body
        )
        assert answer.status == 201, answer.body
        return str(answer.body["data"]["key"])

    def upload(self, data: bytes, filename: str = "picture.jpg", **metadata: Any) -> dict[str, Any]:
        answer = self.api.upload(data, metadata, filename=filename)
        assert answer.status == 201, answer.body
        return answer.image

    def upload_many(self, count: int) -> None:
        """Upload small pictures of different shapes, titled "Picture 0001" and so on in upload order."""
        shapes = random.Random(6)
        sizes = [(shapes.randint(60, 120), shapes.randint(60, 120)) for _ in range(count)]

        def upload(number: int) -> None:
            width, height = sizes[number - 1]
            self.upload(
                jpeg(width, height, seed=number),
                title=f"Picture {number:04}",
                category=("Sea", "Forest", "City")[number % 3],
                tags=["many", "even" if number % 2 == 0 else "odd"],
            )

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(upload, range(1, count + 1)))

    def count(self) -> int:
        return int(self.query("SELECT count(*) FROM image_metadata")[0][0])


class Gallery:
    """One open page."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page = page
        self.service = service
        self.cards = page.locator(".card:visible")
        self.count = page.locator("#count")
        self.detail = page.get_by_role("dialog").and_(page.locator("#detail"))
        self.uploads = page.get_by_role("region", name="upload")
        self.toolbar = page.get_by_role("toolbar")
        self.said = page.locator("#announcer")

    def card(self, title: str) -> Locator:
        return self.page.get_by_role("button", name=title, exact=True)

    def check(self, title: str) -> Locator:
        """A picture's checkbox."""
        return self.page.get_by_role("checkbox", name=f"Select {title}", exact=True)

    def pick(self, *titles: str) -> None:
        """Select pictures with the mouse."""
        for title in titles:
            self.card(title).hover()
            self.check(title).click()

    def upload(self, files: Sequence[FilePayload] | Mapping[str, bytes]) -> None:
        """Choose files with the file picker."""
        payloads = (
            files if not isinstance(files, Mapping) else [as_file(name, data) for name, data in files.items()]
        )
        self.page.locator("#files").set_input_files(list(payloads))

    def line(self, filename: str) -> Locator:
        """A file's line in the list of uploads."""
        return self.page.locator("#uploads-list li").filter(has_text=filename)

    def open(self, title: str) -> Locator:
        self.card(title).click()
        expect(self.detail.get_by_role("heading", name=title)).to_be_visible()
        return self.detail

    def delete(self, title: str) -> None:
        """Delete a picture; open it first if needed.

        Closing a picture goes back in the history, which while pending would undo a later `goto`.
        """
        if self.detail.is_hidden():
            self.open(title)
        self.detail.get_by_role("button", name="Delete").click()
        expect(self.card(title)).to_be_hidden()
        expect(self.page).to_have_url(re.compile("^[^#]+$"))

    def wait_until(
        self, condition: Callable[[], Any], *, meanwhile: Callable[[], Any] = lambda: None
    ) -> None:
        """Let the page run until a condition is true; call ``meanwhile`` before each check."""
        deadline = time.monotonic() + RETRY_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "what was waited for did not happen"
            meanwhile()
            self.page.wait_for_timeout(50)

    def settle(self) -> None:
        """Wait until there are thumbnails and all visible ones have loaded.

        Measures the item, not its picture: outside the viewport, the browser may skip layout of the picture.
        """
        expect(self.cards.first).to_be_visible()
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('.card img')].every((image) => {
                const { top, bottom } = image.closest('.item').getBoundingClientRect();
                return bottom < 0 || top > innerHeight || image.classList.contains('loaded');
            })"""
        )

    def titles(self) -> list[str]:
        return self.page.locator(".item:not([hidden]) .caption").all_text_contents()


def hold(page: Page, url: str, method: str = "", most: int = 999) -> list[Route]:
    """Hold requests to a URL, with this method if one is named; others pass. Returns those that are held."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        if len(held) < most and method in ("", route.request.method):
            held.append(route)
        else:
            route.continue_()

    page.route(url, keep)
    return held


def change_answer(page: Page, url: str, *, data: Mapping[str, Any]) -> None:
    """Let a route answer with other values in its ``data``, as a service with other settings does."""

    def change(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={"data": answer.json()["data"] | dict(data)})

    page.route(url, change)


def as_file(name: str, data: bytes, mime_type: str = "image/jpeg") -> FilePayload:
    return {"name": name, "mimeType": mime_type, "buffer": data}


def drop_files(page: Page, event: str, files: Mapping[str, bytes]) -> None:
    """Dispatch ``drop`` or ``paste`` with files. A name without an extension means no type."""
    content = json.dumps({name: list(data) for name, data in files.items()})
    page.evaluate(
        """([event, content]) => {
            const carried = new DataTransfer();
            for (const [name, data] of Object.entries(JSON.parse(content))) {
                const type = name.includes(".") ? "image/jpeg" : "";
                carried.items.add(new File([new Uint8Array(data)], name, { type }));
            }
            const options = { bubbles: true, cancelable: true };
            document.body.dispatchEvent(event === "paste"
                ? new ClipboardEvent(event, { ...options, clipboardData: carried })
                : new DragEvent(event, { ...options, dataTransfer: carried }));
        }""",
        [event, content],
    )


def upload_six(service: Service) -> None:
    """Picture 6 to 1: the newest comes first. The even ones have a tag, the first three a category."""
    service.clear()
    for number in range(1, 7):
        tags = ["many", "even"] if number % 2 == 0 else ["many"]
        category = "Sea" if number <= 3 else ""
        service.upload(jpeg(120, 80, seed=number), title=f"Picture {number}", tags=tags, category=category)
