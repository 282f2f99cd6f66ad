"""Where a picture format must be named besides its declaration in ``pictures.identify``.

Each test names the file that lacks a format.
"""

import io
import json
from typing import Any

import pytest
from imageapi.pictures.identify import FORMATS, SUPPORTED, identify
from imageapi.uploads.presigned import UNKNOWN_TYPE

from tests.support import pictures
from tests.support.events import ROOT

GALLERY = ROOT / "functions/gallery"
SCHEMAS: dict[str, Any] = json.loads((GALLERY / "openapi.json").read_text(encoding="utf-8"))["components"][
    "schemas"
]
KNOWN = [mime_type for mime_type, _ in FORMATS.values()]


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_told_from_the_first_bytes(name: str) -> None:
    picture = pictures.encode(pictures.quadrants(40, 30), name)
    assert identify(io.BytesIO(picture), pictures.MAX_PIXELS).format == name


@pytest.mark.parametrize("name", FORMATS)
def test_the_error_for_other_files_names_it(name: str) -> None:
    assert name in SUPPORTED.upper()


def test_openapi_json_names_all() -> None:
    assert SCHEMAS["Image"]["properties"]["mime_type"]["enum"] == KNOWN
    assert SCHEMAS["UploadAnnouncement"]["properties"]["mime_type"]["enum"] == [*KNOWN, UNKNOWN_TYPE]
    text = (GALLERY / "openapi.json").read_text(encoding="utf-8")
    assert text.count(SUPPORTED) == 2


def test_the_gallery_names_all() -> None:
    text = (GALLERY / "assets/text.js").read_text(encoding="utf-8")
    assert f"({SUPPORTED})" in text
    assert SUPPORTED.replace(" or ", "、").replace(", ", "、") in text


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("document", ["README.md", "README.ja.md"])
def test_the_readme_names_it(document: str, name: str) -> None:
    assert name in (ROOT / document).read_text(encoding="utf-8").upper()
