"""The demo pictures and their upload destination."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from imageapi.http.json_body import parse_json_object
from imageapi.model.metadata import validate_metadata
from PIL import ExifTags, Image

from local.client import choose_api
from local.demo.pictures import KINDS, DemoPicture, make_picture
from local.settings import make_settings

NUMBERS = range(2 * len(KINDS))
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
}


def test_the_pictures_are_varied_and_such_as_the_service_takes() -> None:
    """One test, since each process that runs a part of it would make the pictures anew."""
    pictures = [make_picture(number) for number in NUMBERS]

    for picture in pictures:
        check_picture(picture)
    check_variety(pictures)
    assert [make_picture(number) for number in range(2)] == pictures[:2], "always the same picture"


def check_picture(picture: DemoPicture) -> None:
    validate_metadata(parse_json_object(json.dumps(picture.metadata)))
    assert picture.metadata["title"]
    assert picture.metadata["category"]
    assert 3 <= len(picture.metadata["tags"]) <= 10
    assert len(picture.data) < 4_400_000
    with Image.open(io.BytesIO(picture.data)) as image:
        image.load()
        assert image.get_format_mimetype() == picture.mime_type
        assert picture.filename.endswith(ENDINGS[picture.mime_type])
        assert 360 <= min(image.size) <= max(image.size) <= 1920
        colours = image.convert("RGB").resize((16, 16)).getcolors(256)
        assert colours
        assert len(colours) > 3, "nothing but one colour"


def check_variety(pictures: Sequence[DemoPicture]) -> None:
    assert len({picture.data for picture in pictures}) == len(pictures)
    assert {picture.mime_type for picture in pictures} == set(ENDINGS)
    assert len({picture.metadata["category"] for picture in pictures}) > 10
    titles = [picture.metadata["title"] for picture in pictures]
    assert 0 < sum(map(str.isascii, titles)) < len(titles)
    shapes, modes, frames, orientations = set(), set(), set(), set()
    for picture in pictures:
        with Image.open(io.BytesIO(picture.data)) as image:
            shapes.add((image.width > image.height) - (image.width < image.height))
            modes.add(image.mode)
            frames.add(getattr(image, "n_frames", 1))
            orientations.add(image.getexif().get(ExifTags.Base.Orientation, 1))
    assert shapes == {-1, 0, 1}
    assert modes >= {"L", "P", "RGB", "RGBA"}
    assert frames == {1, 24}
    assert orientations == {1, 6}


@pytest.mark.parametrize(
    ("variables", "info", "expected"),
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
def test_which_api_it_is(variables: dict[str, str], info: Any, expected: tuple[str, str]) -> None:
    assert choose_api(None, None, make_settings(variables), info) == expected
