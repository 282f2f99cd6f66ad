"""An image's life cycle over HTTP: upload (also large), change, delivery, deletion; and every refusal."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from tests.e2e.client import Api
from tests.support import multipart, pictures
from tests.support.http_client import Answer, fetch

NOWHERE = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
NAME = '夕焼け 1 "海".jpg'


@pytest.fixture
def picture() -> bytes:
    """A unique rotated photo with a GPS position."""
    return pictures.jpeg(800, 600, orientation=6, gps=True, seed=uuid.uuid4())


def request(
    api: Api, method: str, image_id: str, body: Mapping[str, Any] | str | None = None, **headers: str
) -> Answer:
    """A request for one image; a mapping is sent as JSON."""
    text = json.dumps(body) if isinstance(body, Mapping) else body
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if text is not None:
        sent["Content-Type"] = "application/json"
    return api.request(
        method, f"/api/images/{image_id}", headers=sent, body=text.encode() if text is not None else None
    )


def announce(api: Api, values: Mapping[str, Any] | str, **headers: str) -> Answer:
    text = json.dumps(values) if isinstance(values, Mapping) else values
    sent = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return api.request("POST", "/api/uploads", headers=sent, body=text.encode())


def complete(api: Api, image_id: str) -> Answer:
    return api.request("POST", f"/api/uploads/{image_id}/complete")


def post_file(form: Mapping[str, Any], data: bytes) -> int:
    """Post to the store itself, as a browser's form does; returns its status."""
    fields = [multipart.field(name, value) for name, value in form["fields"].items()]
    body, content_type = multipart.build([*fields, multipart.file(data, "x", name="file", content_type=None)])
    return fetch("POST", form["url"], {"Content-Type": content_type}, body).status


def follow(url: str, accept: str = "*/*") -> tuple[Answer, Answer]:
    """Follow a link's redirect."""
    redirect = fetch("GET", url, {"Accept": accept})
    assert redirect.status == 302, redirect.data
    return redirect, fetch("GET", redirect.headers["location"])


def test_a_life(api: Api, picture: bytes) -> None:
    image = api.upload(picture, {"title": "夕焼け", "tags": ["海"]}, filename=NAME).image
    found = request(api, "GET", image["id"])
    etag = found.headers["etag"]
    assert (found.status, found.image["title"], found.image["filename"]) == (200, "夕焼け", NAME)
    assert request(api, "GET", image["id"], If_None_Match=etag).status == 304

    changed = request(api, "PATCH", image["id"], {"title": "朝焼け"}, If_Match=etag)
    assert (changed.status, changed.image["title"], changed.image["tags"]) == (200, "朝焼け", ["海"])
    late = request(api, "PATCH", image["id"], {"title": "昼"}, If_Match=etag)
    assert (late.status, late.code) == (412, "version_mismatch")
    again = request(api, "GET", image["id"], If_None_Match=etag)
    assert (again.status, again.image["title"]) == (200, "朝焼け")

    assert request(api, "DELETE", image["id"], If_Match=etag).status == 412
    assert request(api, "DELETE", image["id"], If_Match=again.headers["etag"]).status == 204
    for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
        answer = request(api, method, image["id"], body)
        assert (answer.status, answer.code) == (404, "image_not_found")
    for url in image["urls"].values():
        assert fetch("GET", url).status == 404


def test_the_original_is_delivered(api: Api, picture: bytes) -> None:
    image = api.upload(picture, filename=NAME).image

    redirect, found = follow(image["urls"]["original"])

    assert (found.status, found.data) == (200, picture)
    assert found.headers["content-type"] == "image/jpeg"
    assert unquote(found.headers["content-disposition"].partition("filename*=UTF-8''")[2]) == NAME
    assert redirect.headers["cache-control"] == "no-store"
    assert redirect.headers["x-content-type-options"] == "nosniff"


def test_a_large_upload(api: Api) -> None:
    picture = pictures.jpeg_of_size(6_000_000, seed=uuid.uuid4())
    digest = hashlib.sha256(picture).hexdigest()
    values = {"filename": NAME, "size_bytes": len(picture), "mime_type": "image/jpeg", "sha256": digest}
    key = str(uuid.uuid4())

    announced = announce(api, values | {"metadata": {"title": "大"}}, Idempotency_Key=key)
    assert announced.status == 201
    ticket = announced.body["data"]
    again = announce(api, values | {"metadata": {"title": "大"}}, Idempotency_Key=key)
    assert (again.status, again.body["data"]["id"]) == (200, ticket["id"])
    early = api.request("POST", ticket["complete_path"])
    assert (early.status, early.code) == (409, "upload_not_arrived")

    assert post_file(ticket["form"], picture) in (200, 201, 204)
    done = api.request("POST", ticket["complete_path"])

    assert done.status in (200, 201)
    assert (done.image["title"], done.image["sha256"], done.image["filename"]) == ("大", digest, NAME)
    assert follow(done.image["urls"]["original"])[1].data == picture
    assert complete(api, ticket["id"]).status == 200
    assert request(api, "DELETE", ticket["id"]).status == 204
    assert complete(api, ticket["id"]).status == 404


def test_a_large_upload_that_is_no_picture(api: Api) -> None:
    text = str(uuid.uuid4()).encode() * 10
    values = {"filename": "a.jpg", "size_bytes": len(text), "mime_type": "image/jpeg"}
    ticket = announce(api, values).body["data"]

    assert post_file(ticket["form"], text + b"!") in range(400, 500)
    assert post_file(ticket["form"], text) in (200, 201, 204)

    for _ in range(2):
        answer = complete(api, ticket["id"])
        assert (answer.status, answer.code) == (415, "unsupported_image_type")
    assert request(api, "GET", ticket["id"]).status == 404
