"""An image's life cycle over HTTP: upload (also large), change, delivery, deletion."""

import hashlib
import uuid
from urllib.parse import unquote

import pytest

from tests.e2e.client import Api
from tests.support import pictures
from tests.support.http_client import Answer, fetch

NAME = '夕焼け 1 "海".jpg'


@pytest.fixture
def picture() -> bytes:
    """A unique rotated photo with a GPS position."""
    return pictures.jpeg(800, 600, orientation=6, gps=True, seed=uuid.uuid4())


def follow(url: str) -> tuple[Answer, Answer]:
    """Open a link and follow its redirect."""
    redirect = fetch("GET", url)
    assert redirect.status == 302, redirect.data
    return redirect, fetch("GET", redirect.headers["location"])


def test_a_life(api: Api, picture: bytes) -> None:
    image = api.upload(picture, {"title": "夕焼け", "tags": ["海"]}, filename=NAME).image
    path = f"/api/images/{image['id']}"
    found = api.get(path)
    etag = found.headers["etag"]
    assert (found.status, found.image["title"], found.image["filename"]) == (200, "夕焼け", NAME)
    assert api.send("GET", path, If_None_Match=etag).status == 304

    changed = api.send("PATCH", path, {"title": "朝焼け"}, If_Match=etag)
    assert (changed.status, changed.image["title"], changed.image["tags"]) == (200, "朝焼け", ["海"])
    late = api.send("PATCH", path, {"title": "昼"}, If_Match=etag)
    assert (late.status, late.code) == (412, "version_mismatch")
    again = api.send("GET", path, If_None_Match=etag)
    assert (again.status, again.image["title"]) == (200, "朝焼け")

    assert api.send("DELETE", path, If_Match=etag).status == 412
    assert api.send("DELETE", path, If_Match=again.headers["etag"]).status == 204
    for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
        answer = api.send(method, path, body)
        assert (answer.status, answer.code) == (404, "image_not_found")
    for url in image["urls"].values():
        assert fetch("GET", url).status == 404


def test_the_original_and_a_thumbnail_are_delivered(api: Api, picture: bytes) -> None:
    urls = api.upload(picture, filename=NAME).image["urls"]

    redirect, found = follow(urls["original"])
    _, thumbnail = follow(urls["thumbnail"])

    assert (found.status, found.data) == (200, picture)
    assert found.headers["content-type"] == thumbnail.headers["content-type"] == "image/jpeg"
    assert unquote(found.headers["content-disposition"].partition("filename*=UTF-8''")[2]) == NAME
    assert redirect.headers["cache-control"] == "no-store"
    assert redirect.headers["x-content-type-options"] == "nosniff"
    assert thumbnail.data.startswith(b"\xff\xd8\xff")
    other = "A" if urls["original"].endswith("_") else "_"
    assert fetch("GET", urls["original"][:-1] + other).status == 403


def test_a_large_upload(api: Api) -> None:
    picture = pictures.jpeg_of_size(6_000_000, seed=uuid.uuid4())
    digest = hashlib.sha256(picture).hexdigest()
    values = {"filename": NAME, "sha256": digest, "metadata": {"title": "大"}}
    key = str(uuid.uuid4())

    announced = api.announce(picture, key, **values)
    assert announced.status == 201
    ticket = announced.body["data"]
    again = api.announce(picture, key, **values)
    assert (again.status, again.body["data"]["id"]) == (200, ticket["id"])
    complete = f"/api/uploads/{ticket['id']}/complete"
    assert ticket["complete_url"].endswith(complete)
    assert api.get(f"/api/uploads/{ticket['id']}").body["data"]["status"] == "waiting"
    early = api.send("POST", complete)
    assert (early.status, early.code) == (409, "upload_not_arrived")

    assert api.post_file(ticket["form"], picture) in (200, 201, 204)
    done = api.send("POST", complete)

    assert done.status in (200, 201)
    assert (done.image["title"], done.image["sha256"], done.image["filename"]) == ("大", digest, NAME)
    assert follow(done.image["urls"]["original"])[1].data == picture
    assert api.send("POST", complete).status == 200
    assert api.get(f"/api/uploads/{ticket['id']}").body["data"]["status"] == "ready"
    assert api.send("DELETE", f"/api/images/{ticket['id']}").status == 204
    assert api.send("POST", complete).status == 404
