"""examples/flask-gallery, through Flask's test client, against the running service."""

import importlib.util
import io
import os
import re
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests import ROOT
from tests.e2e.client import Api
from tests.support.pictures import jpeg

FOLDER = ROOT / "examples" / "flask-gallery"


@pytest.fixture
def gallery(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A client of the example. Its key may read and write, but not delete permanently."""
    values = {"name": "flask-gallery", "scopes": ["images:read", "images:write"]}
    monkeypatch.setenv("IMAGE_API_URL", api.base_url.rstrip("/"))
    key = api.send("POST", "/api/keys", values).body["data"]
    monkeypatch.setenv("IMAGE_API_KEY", key["key"])
    spec = importlib.util.spec_from_file_location("flask_gallery", FOLDER / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.app.test_client()
    api.request("DELETE", f"/api/keys/{key['id']}")


def send(gallery: FlaskClient, data: bytes, title: str, upload_key: str) -> Any:
    form = {"file": (io.BytesIO(data), "picture.jpg"), "title": title, "upload_key": upload_key}
    return gallery.post("/upload", data=form, content_type="multipart/form-data")


def test_an_upload_is_listed_found_shown_and_deleted(gallery: FlaskClient, api: Api) -> None:
    word = f"flask{uuid.uuid4().hex}"
    found = re.search(r'name="upload_key" value="([^"]+)"', gallery.get("/").text)
    assert found
    data = jpeg(640, 480, seed=word)

    for _ in range(2):  # pressing the button twice uploads one image
        assert send(gallery, data, f"A {word} & b", found[1]).status_code == 302

    page = gallery.get("/", query_string={"q": word}).text
    assert page.count("<img ") == 1
    assert f'alt="A {word} &amp; b"' in page
    assert os.environ["IMAGE_API_KEY"] not in page
    links = [link.replace("&amp;", "&") for link in re.findall(r'(?:src|href)="([^"]+)"', page)]
    assert len(links) == 2
    for link in links:
        with urllib.request.urlopen(link, timeout=60) as picture:
            assert picture.headers["Content-Type"] == "image/jpeg"

    action = re.search(r'action="(/images/[^"]+)"', page)
    assert action
    assert gallery.post(action[1]).status_code == 302
    assert gallery.post(action[1]).status_code == 404  # the image is in the trash
    assert "<img " not in gallery.get("/", query_string={"q": word}).text


def test_a_refused_file_is_shown_with_the_reason(gallery: FlaskClient) -> None:
    refused = send(gallery, b"no picture", "x", str(uuid.uuid4()))

    assert refused.status_code == 415
    assert re.search(r'<p role="alert">[^<]{10,}</p>', refused.text)
