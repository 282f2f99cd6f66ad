"""The places beside ``model.image_formats`` that must name each picture format."""

from imageapi.http.operations import DOCUMENT
from imageapi.model.image_formats import FORMATS, MIME_TYPES, SUPPORTED
from imageapi.uploads.presigned import UNKNOWN_TYPE

from tests import ROOT
from tests.support import samples
from tests.support.openapi import schema


def test_samples_and_openapi_json_name_all() -> None:
    assert {name.split("_")[0].upper() for name in samples.ALL_GOOD} == set(FORMATS)
    assert schema("Image")["properties"]["mime_type"]["x-extensible-enum"] == list(MIME_TYPES)
    assert schema("NewUpload")["properties"]["mime_type"]["x-extensible-enum"] == [*MIME_TYPES, UNKNOWN_TYPE]
    assert DOCUMENT.read_text(encoding="utf-8").count(SUPPORTED) == 2


def test_texts_name_all() -> None:
    gallery = (ROOT / "functions/gallery/assets/text.js").read_text(encoding="utf-8")
    assert f"({SUPPORTED})" in gallery
    assert SUPPORTED.replace(" or ", "、").replace(", ", "、") in gallery
    names = [mime_type.partition("/")[2].upper() for mime_type in MIME_TYPES]
    documents = [(ROOT / name).read_text(encoding="utf-8").upper() for name in ("README.md", "README.ja.md")]
    for text in (SUPPORTED.upper(), *documents):
        assert [name for name in names if name not in text] == []
