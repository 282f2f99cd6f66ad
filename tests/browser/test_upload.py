"""Uploads in the browser: many at once, some of them bad, large ones, and a store that goes down."""

import os
import re
import signal

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.conftest import OpenGallery
from tests.browser.gallery import Service, as_file, drop_files, hold
from tests.support.pictures import TEXT, jpeg, jpeg_of_size


@pytest.fixture(autouse=True)
def empty(service: Service) -> None:
    service.clear()


def test_twenty_files_with_a_bad_one_among_them(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    expect(gallery.page.get_by_role("heading", name="No pictures yet")).to_be_visible()
    files = [as_file(f"picture-{n:02}.jpg", jpeg(seed=n)) for n in range(20)]
    files[7] = as_file("notes.jpg", TEXT)

    gallery.upload(files)

    expect(gallery.uploads.get_by_role("heading")).to_have_text("19 uploaded, 1 failed")
    expect(gallery.line("notes.jpg")).to_contain_text("This is not a picture of a supported type")
    expect(gallery.line("notes.jpg").get_by_role("button", name="Try again")).to_be_hidden()
    expect(gallery.line("picture-03.jpg")).to_contain_text("Done")
    expect(gallery.cards).to_have_count(19)
    expect(gallery.count).to_have_text("19 pictures")
    expect(gallery.said).to_have_text("19 uploaded, 1 failed")
    assert service.count() == 19
    gallery.settle()


def test_each_upload_shows_a_preview_and_its_progress(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    waiting: list[Route] = []
    gallery.page.route("**/api/upload", lambda route: waiting.append(route))

    gallery.upload({"one.jpg": jpeg(seed=1), "two.jpg": jpeg(seed=2)})

    expect(gallery.uploads.get_by_role("heading")).to_have_text("Uploading 0 of 2")
    expect(gallery.line("one.jpg").get_by_role("progressbar", name="Upload of one.jpg")).to_be_visible()
    expect(gallery.uploads.get_by_role("progressbar", name="All uploads")).to_be_visible()
    assert gallery.line("one.jpg").locator("img").evaluate("(image) => image.naturalWidth") == 64
    expect(gallery.uploads.get_by_role("button", name="Cancel all")).to_be_visible()
    for route in waiting:
        route.continue_()
    expect(gallery.uploads.get_by_role("heading")).to_have_text("2 pictures uploaded")
    gallery.uploads.get_by_role("button", name="Close").click()
    expect(gallery.uploads).to_be_hidden()


def test_upload_that_is_quicker_than_the_list(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(jpeg(seed="old"), title="Old")
    gallery = open_gallery(path="/docs")
    answers: list[tuple[Route, APIResponse]] = []
    gallery.page.route("**/api/images?*", lambda route: answers.append((route, route.fetch())))
    gallery.page.goto(service.base_url)
    gallery.wait_until(lambda: answers)

    gallery.upload({"new.jpg": jpeg(seed="new")})
    expect(gallery.line("new.jpg")).to_contain_text("Done")
    for route, answer in answers:
        route.fulfill(response=answer)

    expect(gallery.cards).to_have_text(["new", "Old"])
    expect(gallery.count).to_have_text("2 pictures")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_files_that_are_dropped_or_pasted(event: str, open_gallery: OpenGallery) -> None:
    gallery = open_gallery()

    drop_files(gallery.page, event, {"a.jpg": jpeg(seed=1), "b.jpg": jpeg(seed=2)})

    expect(gallery.card("a")).to_be_visible()
    expect(gallery.card("b")).to_be_visible()


def test_large_file_goes_to_the_store_itself(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    asked: list[str] = []
    gallery.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))

    gallery.upload({"large.jpg": jpeg_of_size(4_400_001)})

    expect(gallery.line("large.jpg")).to_contain_text("Done")
    expect(gallery.card("large")).to_be_visible()
    assert f"POST {service.info['s3']['endpoint_url']}/{service.info['s3']['bucket']}" in asked
    assert f"POST {service.base_url}/api/upload" not in asked
    assert service.query("SELECT size_bytes FROM image_metadata") == [(4_400_001,)]


def test_large_file_that_is_no_picture(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()

    gallery.upload({"large.jpg": bytes(4_400_001)})

    expect(gallery.line("large.jpg")).to_contain_text("This is not a picture of a supported type")
    assert service.count() == 0


def test_file_without_an_extension_is_told_by_its_content(
    open_gallery: OpenGallery, service: Service
) -> None:
    gallery = open_gallery()
    drop_files(gallery.page, "drop", {"small": jpeg(seed="small"), "large": jpeg_of_size(4_400_001)})

    expect(gallery.cards).to_have_count(2)
    assert service.query("SELECT DISTINCT mime_type FROM image_metadata") == [("image/jpeg",)]


def test_same_picture_again_is_told(open_gallery: OpenGallery, service: Service) -> None:
    service.upload(jpeg(seed="twin"))
    gallery = open_gallery()

    gallery.upload({"again.jpg": jpeg(seed="twin")})

    expect(gallery.line("again.jpg")).to_contain_text("The same picture was here already")


def test_store_that_goes_away_in_mid_upload(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    large = jpeg_of_size(6_000_000)

    def lose_the_store(route: Route) -> None:
        kill_store(service)
        route.continue_()

    gallery.page.route("**/api/upload*", lose_the_store)
    gallery.upload({"small.jpg": jpeg(seed="away"), "large.jpg": large})

    expect(gallery.line("small.jpg")).to_contain_text("The image store does not answer. Trying again…")
    expect(gallery.line("small.jpg")).to_contain_text("Done")
    expect(gallery.line("large.jpg")).to_contain_text("Done")
    expect(gallery.cards).to_have_count(2)
    assert service.count() == 2


def kill_store(service: Service) -> None:
    """Kill the store once; the run notices and restarts it."""
    pid = service.info["s3"].pop("pid", None)
    if pid:
        os.kill(pid, signal.SIGKILL)


def test_what_failed_for_good_can_be_tried_again(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery(stopped_clock=True)
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        """The upload arrives, but its response does not: the worst case of a network failure."""
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    gallery.page.route("**/api/upload", lose_the_answer)
    gallery.upload({"lost.jpg": jpeg(seed="lost")})
    retry = gallery.page.get_by_role("button", name="Try again: lost.jpg")
    gallery.wait_until(retry.is_visible, meanwhile=lambda: gallery.page.clock.run_for(5_000))
    expect(gallery.line("lost.jpg")).to_contain_text("The server cannot be reached.")
    expect(gallery.uploads.get_by_role("heading")).to_have_text("0 uploaded, 1 failed")

    gallery.page.unroute("**/api/upload")
    retry.click()

    expect(gallery.page.get_by_role("button", name="Remove lost.jpg from the list")).to_be_focused()
    expect(gallery.line("lost.jpg")).to_contain_text("Done")
    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert re.fullmatch(r"[0-9a-f]{32}", keys[0])
    assert service.count() == 1


def test_server_that_asks_to_wait_is_not_asked_before(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(stopped_clock=True)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        busy = '{"error": {"code": "database_unavailable", "message": "…"}}'
        route.fulfill(status=503, headers={"Retry-After": "20"}, content_type="application/json", body=busy)

    gallery.page.route("**/api/upload", refuse)
    gallery.upload({"a.jpg": jpeg()})

    expect(gallery.line("a.jpg")).to_contain_text("The database does not answer. Trying again…")
    gallery.page.clock.run_for(19_000)
    assert len(asked) == 1
    gallery.page.clock.run_for(7_000)
    expect(gallery.line("a.jpg")).to_contain_text("Trying again…")
    gallery.wait_until(lambda: len(asked) == 2)


def test_upload_that_is_taken_off_the_list_stops(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    gallery.page.route("**/api/upload", lambda _: None)
    gallery.upload({"a.jpg": jpeg()})

    gallery.page.get_by_role("button", name="Remove a.jpg from the list").click()

    expect(gallery.uploads).to_be_hidden()
    expect(gallery.page.get_by_role("button", name="Upload", exact=True)).to_be_focused()
    assert service.count() == 0


def test_others_go_on_when_one_is_taken_off_the_list(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    held = hold(gallery.page, "**/api/upload", most=3)
    gallery.upload({f"{n}.jpg": jpeg(seed=n) for n in range(5)})
    expect(gallery.line("3.jpg")).to_contain_text("Waiting")
    gallery.wait_until(lambda: len(held) == 3)

    for n in range(3):
        gallery.page.get_by_role("button", name=f"Remove {n}.jpg from the list").click()

    expect(gallery.uploads.get_by_role("heading")).to_have_text("2 pictures uploaded")
    assert service.count() == 2


def test_all_uploads_are_cancelled_at_once(open_gallery: OpenGallery, service: Service) -> None:
    gallery = open_gallery()
    held: list[Route] = []
    aborted: list[str] = []
    gallery.page.route("**/api/upload", lambda route: held.append(route))
    gallery.page.on("requestfailed", lambda request: aborted.append(request.url))
    gallery.upload({f"{n}.jpg": jpeg(seed=n) for n in range(30)})
    gallery.wait_until(lambda: len(held) == 3)

    gallery.uploads.get_by_role("button", name="Cancel all").click()

    expect(gallery.uploads).to_be_hidden()
    expect(gallery.page.get_by_role("button", name="Upload", exact=True)).to_be_focused()
    gallery.wait_until(lambda: aborted.count(f"{service.base_url}/api/upload") == 3)
    gallery.page.unroute("**/api/upload")
    gallery.upload({"after.jpg": jpeg(seed="after")})
    expect(gallery.uploads.get_by_role("heading")).to_have_text("1 picture uploaded")
    assert service.count() == 1
