"""An image is uploaded, found, and returned byte for byte; or refused."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.client import Api
from tests.support import pictures, samples

UNUSUAL = ("jpeg_cmyk", "png_16_bit", "gif_animated", "webp_animated", "avif", "tiff_pages")


@pytest.fixture
def category() -> str:
    """A category of this test, to find its images among others."""
    return f"検査-{uuid.uuid4()}"


def find(api: Api, category: str) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = api.get("/api/images", {"category": category}).body["images"]
    return images


def unlike_signatures(image: dict[str, Any]) -> dict[str, Any]:
    """The image without its links, which change over time."""
    return {name: value for name, value in image.items() if name != "urls"}


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


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_pictures_are_taken(api: Api, name: str) -> None:
    expected = samples.facts(name)._asdict()

    answer = api.upload(samples.ALL_GOOD[name](), filename=f"picture.{expected.pop('extension')}")

    assert answer.status == 201
    assert answer.image.items() >= expected.items()


def test_twenty_uploads_at_once(api: Api, category: str) -> None:
    photos = {str(n): pictures.jpeg(seed=f"{category}{n}") for n in range(20)}

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: api.upload(photos[n], {"category": category, "title": n}), photos))

    assert [answer.status for answer in answers] == [201] * 20
    listed = find(api, category)
    digests = {number: hashlib.sha256(data).hexdigest() for number, data in photos.items()}
    assert {image["title"]: image["sha256"] for image in listed} == digests
    assert [image["id"] for image in listed] == sorted((image["id"] for image in listed), reverse=True)


@pytest.mark.parametrize("name", ["svg", "jpeg_truncated", "png_bomb"])
def test_bad_picture(api: Api, name: str) -> None:
    make, status, code = samples.BAD[name]
    answer = api.upload(make())
    assert (answer.status, answer.code) == (status, code)


def test_too_large_for_one_request(api: Api) -> None:
    """The request exceeds the limit of direct uploads, but not that of any gateway on the way."""
    answer = api.upload(pictures.jpeg_of_size(4_650_000))

    assert (answer.status, answer.code) == (413, "payload_too_large")
    assert "/api/uploads" in answer.body["error"]["message"]
