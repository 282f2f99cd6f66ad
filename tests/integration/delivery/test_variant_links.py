"""``variants``: links for further variants, in an image, a changed one and a list."""

import io

import pytest
from PIL import Image

from tests.integration.client import fetch_link, get, send, upload
from tests.integration.lifecycle import KEY, fetch
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import make_event


def test_links_for_further_variants(stores: Stores) -> None:
    image = upload(pictures.jpeg(), {}).image
    path = f"/api/images/{image['id']}"

    urls = get(path, {"variants": "w640-cover.webp,w160"}).image["urls"]

    assert set(urls) == {"original", "thumbnail", "preview", "w640-cover.webp", "w160"}
    assert f"/images/{image['id']}/w640-cover.webp?" in urls["w640-cover.webp"]
    for refused in ("w641", "original", "w640.gif"):
        answer = get(path, {"variants": refused})
        assert (answer.status, answer.code) == (400, "parameter_invalid")


def test_a_changed_image_has_further_links_too(stores: Stores) -> None:
    image = upload(pictures.jpeg(400, 300)).image
    event = make_event(
        "PATCH", f"/api/images/{image['id']}", KEY, {"variants": "w640.jpg"}, body='{"title": "new"}'
    )
    changed = send(event).image

    assert changed["title"] == "new"
    assert fetch(changed["urls"]["w640.jpg"]).headers["Content-Type"] == "image/jpeg"


def test_further_links_work_and_the_next_page_has_them(stores: Stores) -> None:
    for seed in (1, 2):
        upload(pictures.jpeg(800, 600, seed=seed))

    answer = get("/api/images", {"variants": "w640,w320-cover.webp", "limit": "1"})

    (image,) = answer.body["images"]
    assert list(image["urls"]) == ["original", "thumbnail", "preview", "w640", "w320-cover.webp"]
    assert Image.open(io.BytesIO(fetch_link(image["urls"]["w640"]))).size == (640, 480)
    assert Image.open(io.BytesIO(fetch_link(image["urls"]["w320-cover.webp"]))).size == (320, 320)
    assert "variants=w640%2Cw320-cover.webp" in answer.headers["link"][0]
    # `variants` is not a filter: a cursor works without it.
    following = get("/api/images", {"cursor": answer.body["next_cursor"]})
    assert list(following.body["images"][0]["urls"]) == ["original", "thumbnail", "preview"]


@pytest.mark.parametrize("names", ["w641", "intermediate.jpg", ",".join(["w320"] * 31)])
def test_links_that_there_cannot_be(stores: Stores, names: str) -> None:
    answer = get("/api/images", {"variants": names})
    assert answer.error == (400, "parameter_invalid")
    assert answer.body["error"]["details"]["parameter"] == "variants"
