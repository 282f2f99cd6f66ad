"""Uploads over HTTP that must be refused."""

import uuid

import pytest

from tests.e2e.client import Api
from tests.support import multipart, pictures

IMAGE = multipart.file(pictures.jpeg())
LONG_HEADER = multipart.file(pictures.jpeg(), headers=[b"X-Long: " + b"x" * 10_240])
METADATA = multipart.field("metadata", "{}")


@pytest.mark.parametrize(("key", "code"), [(None, "api_key_missing"), ("wrong", "api_key_invalid")])
def test_without_the_key(api: Api, key: str | None, code: str) -> None:
    body, content_type = multipart.upload_body(pictures.jpeg())

    answer = api.request("POST", "/api/upload", headers={"Content-Type": content_type}, body=body, key=key)

    assert (answer.status, answer.code) == (401, code)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([METADATA], "file_missing"),
        ([IMAGE, IMAGE, METADATA], "field_repeated"),
        ([multipart.file(b""), METADATA], "file_empty"),
        ([IMAGE], "metadata_missing"),
        ([LONG_HEADER, METADATA], "invalid_multipart"),
    ],
    ids=["no file", "two files", "empty file", "no metadata", "header of 10 KB"],
)
def test_bad_form(api: Api, parts: list[multipart.Part], code: str) -> None:
    answer = api.upload_form(*multipart.build(parts))

    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("name", "filename", "content_type"),
    [
        ("text", "holiday.jpg", "image/jpeg"),
        ("html", "page.jpg", "image/jpeg"),
        ("svg", "drawing.svg", "image/svg+xml"),
        ("jpeg_truncated", "photo.jpg", "image/jpeg"),
        ("png_wrong_checksum_pixels", "photo.png", "image/png"),
        ("png_wrong_checksum_header", "photo.png", "image/png"),
        ("png_bomb", "black.png", "image/png"),
        ("png_header_huge", "huge.png", "image/png"),
    ],
)
def test_bad_picture(api: Api, name: str, filename: str, content_type: str) -> None:
    make, status, code = pictures.BAD[name]
    body, form_type = multipart.upload_body(make(), filename, content_type=content_type)

    answer = api.upload_form(body, form_type)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("metadata", "status", "code"),
    [
        ("title=x", 400, "metadata_not_json"),
        ("[1]", 422, "metadata_not_an_object"),
        ('{"title": "a\\u0000b"}', 422, "metadata_invalid_text"),
        (b'{"title": "a\x00b"}', 400, "metadata_not_json"),
        ('{"title": "\\ud83d"}', 422, "metadata_invalid_text"),
        ({"title": "あ" * 201}, 422, "metadata_too_long"),
        ({"description": "x" * 70_000}, 422, "metadata_too_long"),
    ],
    ids=["not JSON", "no object", "escaped NUL", "NUL", "lone surrogate", "title too long", "all too long"],
)
def test_bad_metadata(api: Api, metadata: dict[str, str] | str | bytes, status: int, code: str) -> None:
    answer = api.upload(pictures.jpeg(), metadata)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("application/json", 415, "not_multipart"),
        ("application/x-www-form-urlencoded", 415, "not_multipart"),
        ("multipart/form-data", 400, "invalid_multipart"),
    ],
    ids=["JSON", "a plain form", "no boundary"],
)
def test_not_a_form(api: Api, content_type: str, status: int, code: str) -> None:
    answer = api.upload_form(b'{"image_file": "aGVsbG8="}', content_type)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
def test_form_that_ends_early(api: Api, keep: float) -> None:
    body, content_type = multipart.upload_body(pictures.noisy("JPEG"))

    answer = api.upload_form(body[: int(len(body) * keep)], content_type)

    assert answer.status == 400
    assert answer.code in ("invalid_multipart", "file_missing")


def test_too_large_for_one_request(api: Api) -> None:
    """Over the limit of direct uploads, but within that of every gateway on the way."""
    answer = api.upload(pictures.jpeg_of_size(4_650_000))

    assert (answer.status, answer.code) == (413, "payload_too_large")
    assert "/api/uploads" in answer.body["error"]["message"]


def test_refused_uploads_are_not_listed(api: Api) -> None:
    category = str(uuid.uuid4())

    for name in ("text", "jpeg_truncated", "png_bomb"):
        make, status, _ = pictures.BAD[name]
        assert api.upload(make(), {"category": category}).status == status

    assert api.get("/api/images", {"category": category}).body["images"] == []
