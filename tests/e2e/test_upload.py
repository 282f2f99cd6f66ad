"""A picture through the API: uploaded, found, and returned byte for byte; or refused."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.client import Api
from tests.support import multipart, pictures
from tests.support.http_client import Answer, fetch

UNUSUAL = ("jpeg_cmyk", "png_16_bit", "gif_animated", "webp_animated", "avif", "tiff_pages")


@pytest.fixture
def category() -> str:
    """A category for this test alone, to find its images among others."""
    return f"検査-{uuid.uuid4()}"


def find(api: Api, category: str) -> list[dict[str, Any]]:
    answer = api.get("/api/images", {"category": category})
    assert answer.status == 200
    images: list[dict[str, Any]] = answer.body["images"]
    return images


def unlike_signatures(image: dict[str, Any]) -> dict[str, Any]:
    """The image without its links, which change over time."""
    return {name: value for name, value in image.items() if name != "urls"}


def download(url: str) -> Answer:
    redirect = fetch("GET", url)
    assert redirect.status == 302
    return fetch("GET", redirect.headers["location"])


def test_photo_with_exif_and_rotation(api: Api, category: str) -> None:
    data = pictures.camera_jpeg()
    metadata = {"title": "夕焼け", "description": "海。\n二行目", "category": category, "tags": ["海", "夕"]}

    answer = api.upload(data, metadata, filename="IMG_0001.JPG")

    assert answer.status == 201
    image = answer.image
    assert {name: image[name] for name in metadata} == metadata
    assert (image["filename"], image["mime_type"]) == ("IMG_0001.JPG", "image/jpeg")
    assert (image["width"], image["height"], image["exif"]["orientation"]) == (64, 48, 6)
    assert image["exif"]["camera"] == "Canon EOS R6"
    assert "latitude" not in str(image["exif"]).lower()
    assert (image["size_bytes"], image["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert image["s3_key"] == f"originals/{image['id']}.jpg"

    (listed,) = find(api, category)
    assert unlike_signatures(listed) == unlike_signatures(image)
    shown = api.get(f"/api/images/{image['id']}")
    assert (shown.status, unlike_signatures(shown.image)) == (200, unlike_signatures(image))


def test_bytes_come_back(api: Api) -> None:
    data = pictures.jpeg(seed=uuid.uuid4(), orientation=6)
    urls = api.upload(data).image["urls"]

    original, thumbnail = download(urls["original"]), download(urls["thumbnail"])

    assert original.data == data
    assert original.headers["content-type"] == "image/jpeg"
    assert thumbnail.data.startswith(b"\xff\xd8\xff")
    assert thumbnail.headers["content-type"] == "image/jpeg"
    other = "A" if urls["original"].endswith("_") else "_"
    assert fetch("GET", urls["original"][:-1] + other).status == 403


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_pictures_are_taken(api: Api, name: str) -> None:
    facts = pictures.facts(name)

    answer = api.upload(pictures.ALL_GOOD[name](), filename=f"picture.{facts.extension}")

    assert answer.status == 201
    found = {field: answer.image[field] for field in ("mime_type", "width", "height", "frames")}
    expected = facts._asdict()
    del expected["extension"]
    assert found == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (multipart.file(pictures.jpeg(), "../../etc/passwd"), "passwd"),
        (multipart.file(pictures.jpeg(), "C:\\写真\\海.jpg"), "海.jpg"),
        (multipart.file(pictures.jpeg(), "夕焼け.jpg"), "夕焼け.jpg"),
        (
            multipart.file(
                pictures.jpeg(), "x.jpg", parameters="; filename*=UTF-8''%E5%A4%95%E7%84%BC%E3%81%91.jpg"
            ),
            "夕焼け.jpg",
        ),
    ],
    ids=["path", "windows path", "japanese as it stands", "japanese in RFC 5987"],
)
def test_filename(api: Api, part: multipart.Part, expected: str) -> None:
    answer = api.upload_form(*multipart.build([part, multipart.field("metadata", "{}")]))

    assert answer.status == 201
    assert answer.image["filename"] == expected
    assert answer.image["s3_key"] == f"originals/{answer.image['id']}.jpg"


def test_same_request_again_is_one_image(api: Api, category: str) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}

    answers = [api.upload(pictures.jpeg(), {"category": category}, headers=headers) for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 200]
    assert [image["id"] for image in find(api, category)] == [answers[0].image["id"]]


def test_twenty_uploads_at_once(api: Api, category: str) -> None:
    photos = {str(n): pictures.jpeg(seed=f"{category}{n}") for n in range(20)}

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: api.upload(photos[n], {"category": category, "title": n}), photos))

    assert [answer.status for answer in answers] == [201] * 20
    listed = find(api, category)
    assert {image["title"]: image["sha256"] for image in listed} == {
        n: hashlib.sha256(data).hexdigest() for n, data in photos.items()
    }
    assert [image["id"] for image in listed] == sorted((image["id"] for image in listed), reverse=True)


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
