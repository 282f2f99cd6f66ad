"""Uses the gallery as a user does, and gives tests access to the service behind it."""

import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, Request, Route, expect

from tests.e2e.client import Api
from tests.integration.run import Run
from tests.integration.stores import TABLES
from tests.support.pictures import jpeg

API_KEY = "your-api-key-here"
RETRY_SECONDS = 30  # for busy machines
BATCH = "**/api/images/batch"
THUMBNAILS = re.compile(r"/images/[^/]+/w320\?")
PREVIEWS = re.compile(r"/images/[^/]+/w1280\?")
PHONE = {"device_scale_factor": 2, "has_touch": True, "is_mobile": True} | {
    "viewport": {"width": 390, "height": 844}
}


class Service:
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
        """Remove all rows, without locks on tables: requests of the last page might wait for them."""
        deletions = "; ".join(f"DELETE FROM {table}" for table in TABLES)
        self.query(f"SET LOCAL session_replication_role = replica; {deletions}")

    def refill(self, *titles: str, **metadata: Any) -> list[dict[str, Any]]:
        """Replace all pictures by small ones with these titles. The last one is the newest."""
        self.clear()
        return [
            self.upload(jpeg(120, 80, seed=number), title=title, **metadata)
            for number, title in enumerate(titles, 1)
        ]

    def make_key(self, *scopes: str) -> str:
        data = self.send("POST", "/api/keys", {"name": " ".join(scopes), "scopes": scopes})
        return str(data["key"])

    def send(self, method: str, path: str, values: Mapping[str, Any] | None = None, key: str = "") -> Any:
        """Send a request that must succeed; returns its data."""
        body = json.dumps(values).encode() if values else None
        headers = {"Content-Type": "application/json"}
        answer = self.api.request(method, path, headers=headers, body=body, key=key)
        assert answer.status < 300, answer.body
        return answer.body["data"] if answer.body else None

    def upload(self, data: bytes, filename: str = "picture.jpg", **metadata: Any) -> dict[str, Any]:
        answer = self.api.upload(data, metadata, filename=filename)
        assert answer.status == 201, answer.body
        return answer.image

    def upload_many(self, count: int) -> None:
        """Replace all pictures by small ones of different shapes: "Picture 0001" and so on."""
        self.clear()

        def upload(number: int) -> None:
            self.upload(
                jpeg(60 + number * 7 % 60, 60 + number * 13 % 60, seed=number),
                title=f"Picture {number:04}",
                category=("Sea", "Forest", "City")[number % 3],
                tags=["many", "even" if number % 2 == 0 else "odd"],
            )

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(upload, range(1, count + 1)))

    def trash(self, image_id: str) -> None:
        self.send("DELETE", f"/api/images/{image_id}")

    def count(self, table: str = "image_metadata") -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])

    def find(self, title: str) -> str:
        """The id of a picture."""
        return str(self.query(f"SELECT id FROM image_metadata WHERE title = '{title}'")[0][0])

    def change_elsewhere(self, title: str) -> None:
        """Change a picture's title to "Theirs", as another client does."""
        self.query(
            f"UPDATE image_metadata SET title = 'Theirs', version = version + 1 WHERE title = '{title}'"
        )


class Gallery:
    """One open page."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page = page
        self.service = service
        self.press = page.keyboard.press
        self.cards = page.locator(".card:visible")
        self.count = page.locator("#count")
        self.categories = page.locator("#category option")
        self.detail = page.get_by_role("dialog").and_(page.locator("#detail"))
        self.history = page.locator("#history-list > li")
        self.uploads = page.get_by_role("region", name="upload")
        self.toolbar = page.get_by_role("toolbar")
        self.toast = page.locator(".toast")
        self.said = page.locator("#announcer")

    def enter(self, path: str = "/") -> None:
        """Load the page, so that changed routes apply."""
        self.page.goto(self.service.base_url + path)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    card = button

    def box(self, name: str) -> Locator:
        return self.page.get_by_role("combobox", name=name)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def alert(self, text: str) -> Locator:
        return self.page.get_by_role("alert").filter(has_text=text)

    def check(self, title: str) -> Locator:
        return self.page.get_by_role("checkbox", name=f"Select {title}", exact=True)

    def pick(self, *titles: str) -> None:
        """Select pictures with the mouse."""
        for title in titles:
            self.card(title).hover()
            self.check(title).click()

    def selected(self) -> list[str]:
        """The titles of selected pictures without "Picture ". Checks that assistive technology agrees."""
        titles = self.page.locator(".item.selected .title").all_text_contents()
        assert self.page.locator(".check:checked").count() == len(titles)
        assert self.page.locator(".card[aria-pressed=true]").count() == len(titles)
        return [title.removeprefix("Picture ") for title in titles]

    def act(self, name: str) -> None:
        """Press a button of the toolbar."""
        self.toolbar.get_by_role("button", name=name, exact=True).click()

    def use_key(self, key: str) -> None:
        """Type a key into its open dialog."""
        self.page.get_by_label("API key", exact=True).fill(key)
        self.press("Enter")

    def upload(self, files: Mapping[str, bytes]) -> None:
        """Choose files with the file picker."""
        payloads: list[FilePayload] = [
            {"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()
        ]
        self.page.locator("#files").set_input_files(payloads)

    def line(self, filename: str) -> Locator:
        return self.page.locator("#uploads-list li").filter(has_text=filename)

    def open(self, title: str) -> Locator:
        self.card(title).click()
        expect(self.detail.get_by_role("heading", name=title)).to_be_visible()
        return self.detail

    def edit(self, **fields: str) -> None:
        """Fill in fields of the open picture's form. Commas separate ``tags``."""
        self.detail.get_by_role("button", name="Edit").click()
        for label, text in fields.items():
            self.detail.get_by_label(label).fill(text)

    def save(self) -> None:
        self.detail.get_by_role("button", name="Save").click()

    def open_history(self, title: str) -> None:
        self.open(title).get_by_text("History", exact=True).click()

    def open_trash(self) -> None:
        self.button("Trash").click()
        expect(self.heading("Trash")).to_be_focused()

    def delete(self, title: str) -> None:
        """Delete a picture; open it first if needed."""
        if self.detail.is_hidden():
            self.open(title)
        self.detail.get_by_role("button", name="Move to trash").click()
        expect(self.card(title)).to_be_hidden()
        # Closing a picture goes back in the history. While that is pending, it would undo a later `goto`.
        expect(self.page).to_have_url(re.compile("^[^#]+$"))

    def wait_until(
        self, condition: Callable[[], Any], *, meanwhile: Callable[[], Any] = lambda: None
    ) -> None:
        """Let the page run until a condition is true. Calls ``meanwhile`` before each check."""
        deadline = time.monotonic() + RETRY_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "what was waited for did not happen"
            meanwhile()
            self.page.wait_for_timeout(50)

    def scroll_until(self, condition: Callable[[], Any]) -> None:
        self.wait_until(
            condition, meanwhile=lambda: self.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        )

    def settle(self) -> None:
        """Wait until there are thumbnails and all visible ones have loaded.

        Measures the item, not its picture, whose layout the browser may skip outside the viewport.
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

    def watch(self, part: str) -> list[Request]:
        """Record requests whose URL contains a text; returns their list."""
        found: list[Request] = []
        self.page.on("request", lambda request: found.append(request) if part in request.url else None)
        return found

    def intercept(self, url: str | re.Pattern[str], act: Callable[[Route], Any], method: str = "") -> None:
        """Route requests to a URL until ``page.unroute(url)``. ``method`` restricts them."""
        self.page.route(
            url, lambda route: act(route) if method in ("", route.request.method) else route.continue_()
        )

    def fail(
        self,
        url: str | re.Pattern[str],
        method: str = "",
        *,
        status: int = 500,
        code: str = "internal_error",
        details: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> None:
        """Let requests fail. ``retry_after="20"`` becomes a header."""
        error = {"code": code, "message": "…", **({"details": details} if details else {})}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.intercept(
            url, lambda route: route.fulfill(status=status, headers=sent, json={"error": error}), method
        )

    def hold(self, url: str | re.Pattern[str], method: str = "", most: int = 999) -> list[Route]:
        """Hold the first ``most`` requests; returns the list of held ones."""
        held: list[Route] = []
        self.intercept(
            url, lambda route: held.append(route) if len(held) < most else route.continue_(), method
        )
        return held

    def change_service(self, **values: Any) -> None:
        """Replace values in the response of /api/service, as other settings would."""

        def change(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, json={"data": answer.json()["data"] | values})

        self.page.route("**/api/service", change)

    def drop(self, event: str, files: Mapping[str, bytes], text: str = "", onto: str = "body") -> None:
        """Dispatch ``drop`` or ``paste`` with files and a text. A name without an extension means no type."""
        content = json.dumps({name: list(data) for name, data in files.items()})
        self.page.evaluate(
            """([event, content, text, onto]) => {
                const carried = new DataTransfer();
                if (text) carried.setData("text/plain", text);
                for (const [name, data] of Object.entries(JSON.parse(content))) {
                    const type = name.includes(".") ? "image/jpeg" : "";
                    carried.items.add(new File([new Uint8Array(data)], name, { type }));
                }
                const options = { bubbles: true, cancelable: true };
                document.querySelector(onto).dispatchEvent(event === "paste"
                    ? new ClipboardEvent(event, { ...options, clipboardData: carried })
                    : new DragEvent(event, { ...options, dataTransfer: carried }));
            }""",
            [event, content, text, onto],
        )
