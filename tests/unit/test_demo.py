"""The demo pictures, and what is read out of answers to their upload."""

import io
import json
from functools import cache
from typing import Any

import pytest
import urllib3
from imageapi.forms import parse_upload_form
from imageapi.metadata import parse_json_object, validate_metadata
from PIL import Image

from local.demo import upload
from local.demo.pictures import KINDS, MEDIA_TYPES, make_picture
from local.settings import make_settings

NUMBERS = range(3 * len(KINDS))
made = cache(make_picture)


@pytest.mark.parametrize("number", NUMBERS)
def test_each_picture_is_one_that_the_service_takes(number: int) -> None:
    picture = made(number)

    validate_metadata(parse_json_object(json.dumps(picture.metadata)))
    assert picture.metadata["title"]
    assert picture.metadata["category"]
    assert 3 <= len(picture.metadata["tags"]) <= 10
    assert len(picture.data) < 4_400_000
    with Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        assert MEDIA_TYPES[str(image.format)][0] == picture.mime_type
        assert 360 <= min(image.size) <= max(image.size) <= 1920
        colours = image.convert("RGB").resize((16, 16)).getcolors(256)
        assert colours
        assert len(colours) > 3, "nothing but one colour"


def test_the_pictures_are_varied() -> None:
    pictures = [made(number) for number in NUMBERS]

    assert len({picture.data for picture in pictures}) == len(pictures)
    assert {picture.mime_type for picture in pictures} >= {
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
    }
    assert len({picture.metadata["category"] for picture in pictures}) > 10
    titles = "".join(picture.metadata["title"] for picture in pictures)
    assert not titles.isascii()
    shapes = set()
    for picture in pictures:
        with Image.open(io.BytesIO(picture.data)) as image:
            shapes.add((image.width > image.height) - (image.width < image.height))
            assert getattr(image, "n_frames", 1) > 10 or picture.mime_type != "image/gif"
    assert shapes == {-1, 0, 1}


def test_a_number_is_always_the_same_picture() -> None:
    assert [make_picture(number) for number in range(len(KINDS))] == [made(n) for n in range(len(KINDS))]


@pytest.mark.parametrize(
    ("status", "answer", "text"),
    [
        (200, {"data": {}}, "there already"),
        (422, {"error": {"code": "idempotency_key_reused"}}, "there already"),
        (422, {"error": {"code": "image_corrupt", "message": "No."}}, "422 image_corrupt: No."),
        (502, None, "502 : "),
    ],
)
def test_what_an_answer_means(status: int, answer: Any, text: str) -> None:
    assert upload.judge(status, answer) == text


@pytest.mark.parametrize(
    ("variables", "facts", "expected"),
    [
        ({"API_KEY": "k"}, None, ("http://127.0.0.1:8000", "k")),
        ({"API_KEY": "k", "PORT": "81"}, None, ("http://127.0.0.1:81", "k")),
        ({"API_KEY": "k"}, {"base_url": "http://127.0.0.1:7", "api_key": "r"}, ("http://127.0.0.1:7", "r")),
        (
            {"API_KEY": "k", "BASE_URL": "https://x/v1/"},
            {"base_url": "http://127.0.0.1:7", "api_key": "r"},
            ("https://x/v1", "k"),
        ),
    ],
)
def test_which_api_it_is(variables: dict[str, str], facts: Any, expected: tuple[str, str]) -> None:
    assert upload.choose_api(None, None, make_settings(variables), facts) == expected


def test_the_form_is_what_the_service_reads() -> None:
    picture = make_picture(3)

    form = parse_upload_form(*urllib3.encode_multipart_formdata(upload.make_fields(picture)))

    assert (form.data, form.filename) == (picture.data, picture.filename)
    assert parse_json_object(form.metadata or "") == picture.metadata
