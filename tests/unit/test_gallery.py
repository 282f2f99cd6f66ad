"""The gallery's function: its files, their headers, and their base URL."""

import json
import re
from collections.abc import Iterator

import pytest
from imageapi.config import settings

from tests import ROOT
from tests.support.answers import Answer, parse
from tests.support.events import HOST, handle, make_event
from tests.support.openapi import find_codes, statuses_of_codes
from tests.support.settings import use_settings

FOLDER = ROOT / "functions" / "gallery" / "assets"
OF_THE_PAGE = [path for path in FOLDER.iterdir() if not path.name.startswith(("swagger-ui", "docs"))]
MAX_PAGE_BYTES = 140_000
REQUESTS = [
    *[("get", f"/api/{name}") for name in ("images", "trash", "categories", "tags", "keys/self", "service")],
    *[("post", f"/api/{name}") for name in ("upload", "uploads", "uploads/{upload_id}/complete")],
    *[(method, "/api/images/{image_id}") for method in ("get", "patch", "delete")],
    ("get", "/api/images/{image_id}/changes"),
    ("post", "/api/images/{image_id}/restore"),
    ("post", "/api/images/batch"),
]
"""The requests of the gallery."""
NEVER_SHOWN = {
    "api_key_missing",  # the page always sends a key
    *("edge_bypassed", "host_unknown"),  # the page itself would not load
    *("image_duplicate", "batch_failed", "sha256_mismatch"),  # only on request
    "version_mismatch",  # shown as a conflict
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    keys = {"MINIO_ACCESS_KEY": "access", "MINIO_SECRET_KEY": "secret"}
    store = {"MINIO_BUCKET_NAME": "pictures", "AWS_REGION": "eu-west-1"}
    with use_settings(monkeypatch, {"DB_HOST": "db.invalid", **keys, **store}):
        yield


def get(path: str, headers: dict[str, str] | None = None, context_path: str | None = None) -> Answer:
    event = make_event("GET", path, headers)
    if context_path is not None:
        event["requestContext"]["path"] = context_path
    return parse(handle(event))


def header(answer: Answer, name: str) -> str:
    (value,) = answer.headers[name]
    return value


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_page_has_only_relative_urls_of_files_that_are_there(path: str) -> None:
    answer = get(path)
    urls = re.findall(r'<(?!base)\w[^>]*\s(?:href|src)="([^"]+)"', answer.text)

    assert (answer.status, header(answer, "content-type")) == (200, "text/html; charset=utf-8")
    assert len(urls) > 3
    assert [url for url in urls if get(f"/{url.removeprefix('./')}").status != 200] == []
    # A strict policy would block these.
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|<\w[^>]*\s(style|on\w+)=", answer.text)


@pytest.mark.parametrize(
    ("asset", "media_type"),
    [
        *(("main.js", "text/javascript"), ("gallery.css", "text/css")),
        *(("icon.svg", "image/svg+xml"), ("swagger-ui.LICENSE.txt", "text/plain")),
    ],
)
def test_asset(asset: str, media_type: str) -> None:
    answer = get(f"/assets/{asset}")

    assert (answer.status, header(answer, "content-type")) == (200, f"{media_type}; charset=utf-8")
    assert answer.text == read(asset)


@pytest.mark.parametrize("name", ["nothing.js", "..", "app.py", "openapi.json", "%2e%2e%2fapp.py"])
def test_other_paths_are_not_assets(name: str) -> None:
    assert get(f"/assets/{name}").error == (404, "not_found")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/assets/main.js"])
def test_every_file_is_protected_and_not_sent_again(path: str) -> None:
    answer = get(path)
    assert header(answer, "x-content-type-options") == "nosniff"
    assert header(answer, "referrer-policy") == "no-referrer"
    assert header(answer, "cache-control") == "no-cache"
    policy = header(answer, "content-security-policy")
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy

    etag = header(answer, "etag")
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = get(path, {"If-None-Match": known})
        assert (again.status, header(again, "etag"), again.text) == (304, etag, "")
    for other in ('"other"', f'"other{etag}', f"other={etag}"):
        assert get(path, {"If-None-Match": other}).status == 200


@pytest.mark.parametrize(
    ("variables", "store"),
    [
        ({}, "https://pictures.s3.eu-west-1.amazonaws.com"),
        (
            {"MINIO_ENDPOINT_URL": "http://minio:9000", "MINIO_PUBLIC_ENDPOINT_URL": "http://localhost:9000"},
            "http://localhost:9000",
        ),
        ({"AWS_REGION": "cn-north-1"}, "https://pictures.s3.cn-north-1.amazonaws.com.cn"),
        ({"PUBLIC_BASE_URL": "https://img.example.com"}, "https://img.example.com"),
    ],
)
def test_policy_names_where_the_files_are(
    variables: dict[str, str], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.get_settings.cache_clear()

    policy = header(get("/"), "content-security-policy")
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}

    assert store in directives["img-src"]
    assert directives["connect-src"][0] == "'self'"
    assert (store in directives["connect-src"]) == ("PUBLIC_BASE_URL" not in variables)


@pytest.mark.parametrize(
    ("context_path", "headers", "base"),
    [
        *(
            ("/v1/", {}, "/v1/"),
            ("/v1", {}, "/v1/"),
            ("/", {"Host": "127.0.0.1:8000"}, "./"),
            ("/", {}, "./"),
        ),
        ("/v1/", {"X-Amz-Cf-Id": "behind-a-cdn-with-other-paths"}, "./"),
        ("/v1/", {"Host": "img.example.com"}, "./"),
    ],
)
def test_address_with_and_without_the_stage(context_path: str, headers: dict[str, str], base: str) -> None:
    assert f'<base href="{base}">' in get("/", {"Host": HOST, **headers}, context_path).text


def test_description_names_the_address_of_its_server() -> None:
    described = json.loads(get("/openapi.json", {"Host": HOST}, "/v1/openapi.json").text)

    assert described["servers"] == [{"url": f"https://{HOST}/v1"}]


def test_page_is_small_and_loads_all_of_its_files() -> None:
    text = "".join(path.read_text("utf-8") for path in OF_THE_PAGE)
    named = re.findall(r'"(?:assets/|\./)([\w.-]+)"', text)

    assert set(named) | {"index.html"} == {path.name for path in OF_THE_PAGE}
    assert len(text.encode()) < MAX_PAGE_BYTES


def test_every_text_is_there_in_both_languages() -> None:
    table = read("text.js").partition("const TEXT = {")[2].partition("\n};")[0]
    texts = dict(re.findall(r"^  (\w+): \[(.*?)\],$", table, re.MULTILINE | re.DOTALL))
    used = set(re.findall(r'data-t(?:-\w+)?="(\w+)"', read("index.html")))
    for path in OF_THE_PAGE:
        used |= set(re.findall(r'\bt\("(\w+)"', path.read_text(encoding="utf-8")))

    assert used <= set(texts)
    assert not [name for name, both in texts.items() if both.isascii()]


def test_errors_that_have_a_text_are_errors_of_the_api() -> None:
    named = set(re.findall(r"^  (?:error|limit)_(\w+):", read("text.js"), re.MULTILINE))
    of_the_page = {"unexpected", "outdated", "network", "key_needed", "store_refused", "file_gone"}

    assert named <= statuses_of_codes().keys() | of_the_page


def test_errors_that_the_page_meets_have_a_text() -> None:
    met: set[str] = set()
    for method, path in REQUESTS:
        codes = find_codes(method, path)
        assert codes is not None
        met |= codes
    named = set(re.findall(r"^  error_(\w+):", read("text.js"), re.MULTILINE))
    outdated = read("explain.js").partition("const OUTDATED = [")[2].partition("]")[0]

    assert met - named - set(re.findall(r"\w+", outdated)) == NEVER_SHOWN
