"""Uploads in the browser: many at once, bad files, large files, and a store that goes down."""

import os
import re
import signal

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Gallery, Service
from tests.support.pictures import TEXT, jpeg, jpeg_of_size

UPLOAD = "**/api/upload"
NO_PICTURE = "The file is not a picture of a supported type"


@pytest.fixture(autouse=True)
def empty(service: Service) -> None:
    service.clear()


def test_twenty_files_with_a_bad_one_among_them(gallery: Gallery) -> None:
    expect(gallery.heading("No pictures yet")).to_be_visible()
    good = {f"picture-{n:02}.jpg": jpeg(seed=n) for n in range(19)}

    gallery.upload({"notes.jpg": TEXT, **good})

    expect(gallery.uploads.get_by_role("heading")).to_have_text("19 uploaded, 1 failed")
    expect(gallery.line("notes.jpg")).to_contain_text(NO_PICTURE)
    expect(gallery.line("notes.jpg").get_by_role("button", name="Try again")).to_be_hidden()
    expect(gallery.line("picture-03.jpg")).to_contain_text("Done")
    expect(gallery.cards).to_have_count(19)
    expect(gallery.count).to_have_text("19 pictures")
    expect(gallery.said).to_have_text("19 uploaded, 1 failed")
    assert gallery.service.count() == 19
    gallery.settle()


def test_each_upload_shows_a_preview_and_its_progress(gallery: Gallery) -> None:
    held = gallery.hold(UPLOAD)

    gallery.upload({"one.jpg": jpeg(seed=1), "two.jpg": jpeg(seed=2)})

    heading = gallery.uploads.get_by_role("heading")
    expect(heading).to_have_text("Uploading 0 of 2")
    expect(gallery.line("one.jpg").get_by_role("progressbar", name="Upload of one.jpg")).to_be_visible()
    expect(gallery.uploads.get_by_role("progressbar", name="All uploads")).to_be_visible()
    assert gallery.line("one.jpg").locator("img").evaluate("(image) => image.naturalWidth") == 64
    for route in held:
        route.continue_()
    expect(heading).to_have_text("2 pictures uploaded")
    gallery.uploads.get_by_role("button", name="Close").click()
    expect(gallery.uploads).to_be_hidden()


def test_many_files_load_only_the_previews_in_view(gallery: Gallery) -> None:
    gallery.hold(UPLOAD)

    gallery.upload({f"picture-{n:03}.jpg": jpeg(seed=n % 20) for n in range(400)})

    previews = gallery.uploads.locator("li img")
    expect(previews).to_have_count(400)
    gallery.wait_until(lambda: previews.first.evaluate("(image) => image.naturalWidth") == 64)
    gallery.page.wait_for_timeout(500)
    loaded = previews.evaluate_all("(images) => images.filter(({ naturalWidth }) => naturalWidth).length")
    assert loaded < 200


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("two\nlines.jpg", "two lines"),
        ("x" * 199 + "🌅.jpg", "x" * 199 + "🌅"),
        ("क\u093c" * 20 + "\u0958" * 100 + ".jpg", "क\u093c" * 100),
    ],
)
def test_a_file_with_an_odd_name_gets_a_title(gallery: Gallery, name: str, title: str) -> None:
    gallery.upload({name: jpeg(seed=1)})

    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 picture uploaded")
    assert gallery.service.query("SELECT title FROM image_metadata") == [(title,)]


def test_upload_that_is_quicker_than_the_list(waiting: Gallery) -> None:
    waiting.service.refill("Old")
    answers: list[tuple[Route, APIResponse]] = []
    waiting.page.route("**/api/images?*", lambda route: answers.append((route, route.fetch())))
    waiting.enter()
    waiting.wait_until(lambda: answers)

    waiting.upload({"new.jpg": jpeg(seed="new")})
    expect(waiting.line("new.jpg")).to_contain_text("Done")
    for route, answer in answers:
        route.fulfill(response=answer)

    expect(waiting.cards).to_have_text(["new", "Old"])
    expect(waiting.count).to_have_text("2 pictures")


def test_large_file_goes_to_the_store_itself(gallery: Gallery) -> None:
    asked, s3 = gallery.watch(""), gallery.service.info["s3"]

    gallery.upload({"large.jpg": jpeg_of_size(4_400_001)})

    expect(gallery.line("large.jpg")).to_contain_text("Done")
    expect(gallery.card("large")).to_be_visible()
    posted = [request.url for request in asked if request.method == "POST"]
    assert f"{s3['endpoint_url']}/{s3['bucket']}" in posted
    assert f"{gallery.service.base_url}/api/upload" not in posted
    assert gallery.service.query("SELECT size_bytes FROM image_metadata") == [(4_400_001,)]


def test_large_file_that_is_no_picture(gallery: Gallery) -> None:
    gallery.upload({"large.jpg": bytes(4_400_001)})

    expect(gallery.line("large.jpg")).to_contain_text(NO_PICTURE)
    assert gallery.service.count() == 0


def test_same_picture_again_is_told_and_comes_first(waiting: Gallery) -> None:
    waiting.service.refill("Old", "Twin")
    waiting.enter()
    expect(waiting.count).to_have_text("2 pictures")

    waiting.upload({"again.jpg": jpeg(120, 80, seed=2)})

    expect(waiting.line("again.jpg")).to_contain_text("An identical picture already exists")
    expect(waiting.cards).to_have_text(["again", "Twin", "Old"])


def test_store_that_goes_away_in_mid_upload(gallery: Gallery) -> None:
    def lose_the_store(route: Route) -> None:
        """Kill the store once. The run restarts it."""
        if pid := gallery.service.info["s3"].pop("pid", None):
            os.kill(pid, signal.SIGKILL)
        route.continue_()

    gallery.page.route("**/api/upload*", lose_the_store)
    gallery.upload({"small.jpg": jpeg(seed="away"), "large.jpg": jpeg_of_size(6_000_000)})

    expect(gallery.line("small.jpg")).to_contain_text("The image storage is not responding. Trying again…")
    expect(gallery.line("small.jpg")).to_contain_text("Done")
    expect(gallery.line("large.jpg")).to_contain_text("Done")
    expect(gallery.cards).to_have_count(2)
    assert gallery.service.count() == 2


def test_what_failed_for_good_can_be_tried_again(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        """The upload succeeds, but its response is lost."""
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    gallery.page.route(UPLOAD, lose_the_answer)
    gallery.upload({"lost.jpg": jpeg(seed="lost")})
    retry = gallery.button("Try again: lost.jpg")
    gallery.wait_until(retry.is_visible, meanwhile=lambda: gallery.page.clock.run_for(5_000))
    expect(gallery.line("lost.jpg")).to_contain_text("The server cannot be reached.")
    expect(gallery.uploads.get_by_role("heading")).to_have_text("0 uploaded, 1 failed")

    gallery.page.unroute(UPLOAD)
    retry.click()

    expect(gallery.button("Remove lost.jpg from the list")).to_be_focused()
    expect(gallery.line("lost.jpg")).to_contain_text("Done")
    assert (len(keys), len(set(keys))) == (6, 1)
    assert re.fullmatch(r"[0-9a-f]{32}", keys[0])
    assert service.count() == 1


def test_upload_that_was_interrupted_can_be_tried_again(gallery: Gallery) -> None:
    gallery.fail(UPLOAD, status=409, code="upload_interrupted")
    gallery.upload({"a.jpg": jpeg()})
    expect(gallery.line("a.jpg")).to_contain_text("The upload was interrupted. Try again.")

    gallery.page.unroute(UPLOAD)
    gallery.button("Try again: a.jpg").click()

    expect(gallery.line("a.jpg")).to_contain_text("Done")


def test_upload_that_fails_keeps_the_focus(gallery: Gallery) -> None:
    held = gallery.hold(UPLOAD)
    gallery.upload({"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)})
    gallery.wait_until(lambda: len(held) == 2)
    remove = gallery.button("Remove b.jpg from the list")
    remove.focus()

    for route in held:
        route.fulfill(status=422, json={"error": {"code": "image_corrupt", "message": "…"}})

    expect(gallery.uploads.get_by_role("heading")).to_have_text("0 uploaded, 2 failed")
    expect(remove).to_be_focused()


def test_server_that_asks_to_wait_is_not_asked_before(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(stopped_clock=True)
    asked = gallery.watch("/api/upload")
    gallery.fail(UPLOAD, status=503, code="database_unavailable", retry_after="20")
    gallery.upload({"a.jpg": jpeg()})

    expect(gallery.line("a.jpg")).to_contain_text("The database is not responding. Trying again…")
    gallery.page.clock.run_for(19_000)
    assert len(asked) == 1
    gallery.page.clock.run_for(7_000)
    gallery.wait_until(lambda: len(asked) == 2)


def test_others_go_on_when_one_is_taken_off_the_list(gallery: Gallery) -> None:
    held = gallery.hold(UPLOAD, most=3)
    gallery.upload({f"{n}.jpg": jpeg(seed=n) for n in range(5)})
    expect(gallery.line("3.jpg")).to_contain_text("Waiting")
    gallery.wait_until(lambda: len(held) == 3)

    for n in range(3):
        gallery.button(f"Remove {n}.jpg from the list").click()

    expect(gallery.uploads.get_by_role("heading")).to_have_text("2 pictures uploaded")
    assert gallery.service.count() == 2


@pytest.mark.parametrize(("count", "way"), [(1, "Remove 0.jpg from the list"), (30, "Cancel all")])
def test_all_uploads_are_cancelled(count: int, way: str, gallery: Gallery) -> None:
    aborted: list[str] = []
    gallery.page.on("requestfailed", lambda request: aborted.append(request.url))
    held = gallery.hold(UPLOAD)
    gallery.upload({f"{n}.jpg": jpeg(seed=n) for n in range(count)})
    at_once = min(count, 3)
    gallery.wait_until(lambda: len(held) == at_once)

    gallery.button(way).click()

    expect(gallery.uploads).to_be_hidden()
    expect(gallery.button("Upload")).to_be_focused()
    gallery.wait_until(lambda: aborted.count(f"{gallery.service.base_url}/api/upload") == at_once)
    gallery.page.unroute(UPLOAD)
    gallery.upload({"after.jpg": jpeg(seed="after")})
    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 picture uploaded")
    assert gallery.service.count() == 1
