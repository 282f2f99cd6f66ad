"""The blocks of the READMEs and guides in bash, python and javascript run against the service, in order.

Blocks in sh start or deploy something. tests/unit/test_documents.py checks the names in them.
"""

import hashlib
import html
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.e2e.programs import PROGRAMS, run_code
from tests.support.documents import blocks, read
from tests.support.http_client import fetch
from tests.support.pictures import jpeg

PAGES = ("README.md", "README.ja.md", "docs/tutorial.md", "docs/web-sites.md")
EXAMPLE = "examples/flask-gallery/app.py"


def code_of(page: str, language: str) -> list[str]:
    """All blocks except excerpts of the example, which has its own tests."""
    found = [block.code for block in blocks(page, language)]
    return [code for code in found if code.strip("\n") not in read(EXAMPLE)]


@pytest.fixture(scope="module")
def reading_key(api: Api) -> Iterator[str]:
    key = api.send("POST", "/api/keys", {"name": "docs", "scopes": ["images:read"]}).body["data"]
    yield key["key"]
    api.request("DELETE", f"/api/keys/{key['id']}")


@contextmanager
def uploaded(api: Api, data: bytes, title: str) -> Iterator[str]:
    """Upload an image and yield its id. At the end, delete all images with these bytes."""
    image = api.upload(data, {"title": title})
    assert image.status == 201
    yield image.body["data"]["id"]
    for found in api.get("/api/images", {"sha256": hashlib.sha256(data).hexdigest()}).body["images"]:
        api.request("DELETE", f"/api/images/{found['id']}", query={"permanent": "true"})


@pytest.mark.parametrize(
    ("page", "language"),
    [(page, language) for page in PAGES for language in PROGRAMS if code_of(page, language)],
)
def test_blocks_run(page: str, language: str, api: Api, reading_key: str, tmp_path: Path) -> None:
    picture = jpeg(640, 480, seed=os.urandom(8))
    (tmp_path / "holiday.jpg").write_bytes(picture)
    with uploaded(api, picture, "Holiday") as image_id:
        code = "\n".join(code_of(page, language))
        for shown, used in {
            "http://127.0.0.1:8000": api.base_url.rstrip("/"),
            "your-api-key-here": api.key,
            "imgapi_…": reading_key,
            "IMAGE_ID": image_id,
        }.items():
            code = code.replace(shown, used)
        done = run_code(language, code, tmp_path)

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '"error"' not in done.stdout, done.stdout


def test_links_in_the_page_of_a_web_site_need_no_key(api: Api, reading_key: str, tmp_path: Path) -> None:
    code = "\n".join(code_of("docs/web-sites.md", "python"))
    code = code.replace("http://127.0.0.1:8000", api.base_url.rstrip("/")).replace("imgapi_…", reading_key)

    with uploaded(api, jpeg(700, 500, seed=os.urandom(8)), "<Wide> & low") as image_id:
        done = run_code("python", code, tmp_path)
        assert done.returncode == 0, done.stderr
        tag = next(line for line in done.stdout.splitlines() if image_id in line)
        links = [html.unescape(link) for link in re.findall(r'https?://[^ "]+', tag)]
        statuses = {fetch("GET", link).status for link in links}

    assert 'alt="&lt;Wide&gt; &amp; low"' in tag
    assert re.findall(r" (\d+)w[,\"]", tag) == ["320", "640", "700"]
    assert reading_key not in done.stdout
    assert len(links) == 4
    assert statuses <= {200, 302}


def test_the_tutorial_shows_the_example_as_it_is() -> None:
    python = blocks("docs/tutorial.md", "python")
    excerpts = [block for block in python if block.heading.startswith(("2", "3", "4"))]
    assert len(excerpts) == 3
    for excerpt in excerpts:
        assert excerpt.code.strip("\n") in read(EXAMPLE), excerpt.heading
