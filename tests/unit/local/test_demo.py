"""The demo pictures and their upload destination."""

import io
from typing import Any

import pytest
from imageapi.model.metadata import clean_metadata
from imageapi.model.schemas import check_body
from PIL import ExifTags, Image

from local.client import choose_api
from local.demo import pictures
from local.demo.pictures import KINDS, make_picture
from local.settings import make_settings
from tests.support.openapi import schema


def test_the_pictures_are_varied_and_such_as_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures have half the usual size, which takes a fifth of the time."""
    halved = tuple((width // 2, height // 2) for width, height in pictures.SIZES)
    monkeypatch.setattr(pictures, "SIZES", halved)
    monkeypatch.setattr(pictures, "SMALL", dict.fromkeys(pictures.SMALL, (240, 240)))
    made = [make_picture(number) for number in range(2 * len(KINDS))]
    shapes, facts, frames, orientations = set(), set(), set(), set()
    for picture in made:
        clean_metadata(check_body(dict(picture.metadata), schema("Metadata")))
        assert picture.metadata["title"]
        with Image.open(io.BytesIO(picture.data)) as image:
            image.load()
            assert Image.registered_extensions()[f".{picture.filename.rpartition('.')[2]}"] == image.format
            assert image.get_format_mimetype() == picture.mime_type
            colours = image.convert("RGB").resize((16, 16)).getcolors(256)
            assert len(colours or []) > 3, "nothing but one colour"
            shapes.add((image.width > image.height) - (image.width < image.height))
            facts |= {image.format, image.mode}
            frames.add(getattr(image, "n_frames", 1))
            orientations.add(image.getexif().get(ExifTags.Base.Orientation, 1))

    assert len({picture.data for picture in made}) == len(made)
    assert len({picture.metadata["category"] for picture in made}) > 10
    assert {picture.metadata["title"].isascii() for picture in made} == {True, False}
    assert facts >= {"JPEG", "PNG", "WEBP", "AVIF", "GIF", "L", "P", "RGB", "RGBA"}
    assert (shapes, frames, orientations) == ({-1, 0, 1}, {1, 24}, {1, 6})
    assert make_picture(0) == made[0], "always the same picture"


RUN = {"base_url": "http://127.0.0.1:7", "api_key": "r"}


@pytest.mark.parametrize(
    ("variables", "info", "expected"),
    [
        ({}, None, ("http://127.0.0.1:8000", "k")),
        ({"PORT": "81"}, None, ("http://127.0.0.1:81", "k")),
        ({"API_KEY": " k , old"}, None, ("http://127.0.0.1:8000", "k")),
        ({}, RUN, ("http://127.0.0.1:7", "r")),
        ({"BASE_URL": "https://x/v1/"}, RUN, ("https://x/v1", "k")),
    ],
)
def test_which_api_it_is(variables: dict[str, str], info: Any, expected: tuple[str, str]) -> None:
    assert choose_api(None, None, make_settings({"API_KEY": "k", **variables}), info) == expected
