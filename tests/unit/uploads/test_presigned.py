"""The announcement of a large file: every field, valid and invalid."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.catalog.uploads import NewUpload
from imageapi.errors import AppError, PayloadTooLargeError, UnprocessableError, UnsupportedMediaTypeError
from imageapi.model.metadata import validate_metadata
from imageapi.pictures.identify import FORMATS
from imageapi.uploads import presigned
from imageapi.uploads.presigned import parse_upload

LIMIT = 100_000_000
GOOD: dict[str, Any] = {"filename": "a.jpg", "size_bytes": 12_345, "mime_type": "image/jpeg"}
DIGEST = "0123456789abcdef" * 4


@pytest.fixture(autouse=True, scope="module")
def _limit() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presigned, "get_settings", lambda: SimpleNamespace(max_upload_bytes=LIMIT))
        yield


def parse(values: dict[str, Any]) -> NewUpload:
    return parse_upload(values, None)


def refuse(**changes: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        parse(GOOD | changes)
    return caught.value


def refused_field(**changes: Any) -> str:
    error = refuse(**changes)
    assert isinstance(error, UnprocessableError)
    assert error.code == "upload_invalid"
    assert error.details
    return str(error.details["field"])


def test_the_least_that_has_to_be_said() -> None:
    found = parse(GOOD)

    assert (found.filename, found.size_bytes, found.mime_type) == ("a.jpg", 12_345, "image/jpeg")
    assert (found.sha256, found.metadata) == (None, validate_metadata({}))


def test_all_that_can_be_said() -> None:
    found = parse(
        {
            "filename": "C:\\写真\\夕焼け.jpg",
            "size_bytes": LIMIT,
            "mime_type": "image/tiff",
            "sha256": DIGEST.upper(),
            "metadata": {"title": " 夕焼け ", "tags": ["海", "海"]},
        }
    )

    assert found.filename == "夕焼け.jpg"
    assert found.sha256 == bytes.fromhex(DIGEST)
    assert found.metadata == validate_metadata({"title": "夕焼け", "tags": ["海"]})


@pytest.mark.parametrize("mime_type", [mime for mime, _ in FORMATS.values()])
def test_every_supported_type_is_taken(mime_type: str) -> None:
    assert parse(GOOD | {"mime_type": mime_type}).mime_type == mime_type


@pytest.mark.parametrize("field", ["filename", "size_bytes"])
def test_a_field_is_missing(field: str) -> None:
    assert refused_field(**{field: None}) == field
    values = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(UnprocessableError) as caught:
        parse(values)
    assert caught.value.details == {"field": field}


@pytest.mark.parametrize(
    "filename", ["", " ", "/", "a/", "...", "\n\t", "\ud800", 1, True, [], {}, ["a.jpg"]]
)
def test_a_name_that_is_none(filename: Any) -> None:
    assert refused_field(filename=filename) == "filename"


@pytest.mark.parametrize("size", [0, -1, 1.0, 1e9, "1", "", True, False, [], {}, float("nan")])
def test_a_size_that_is_none(size: Any) -> None:
    assert refused_field(size_bytes=size) == "size_bytes"


@pytest.mark.parametrize("size", [LIMIT + 1, 10**30])
def test_a_size_over_the_limit(size: int) -> None:
    error = refuse(size_bytes=size)

    assert isinstance(error, PayloadTooLargeError)
    assert (error.status, error.code, error.details) == (413, "payload_too_large", {"max_bytes": LIMIT})


def test_a_type_may_be_left_out() -> None:
    announced = {name: value for name, value in GOOD.items() if name != "mime_type"}
    assert parse(announced).mime_type == "application/octet-stream"


@pytest.mark.parametrize(
    "mime_type",
    [
        None,
        "",
        "image/svg+xml",
        "text/html",
        "image/*",
        "IMAGE/JPEG",
        "image/jpeg; x=y",
        "image/jpg",
        1,
        [],
        {},
    ],
)
def test_a_type_that_is_not_taken(mime_type: Any) -> None:
    error = refuse(mime_type=mime_type)

    assert isinstance(error, UnsupportedMediaTypeError)
    assert (error.status, error.code) == (415, "unsupported_image_type")
    assert error.details
    assert "image/jpeg" in error.details["known"]


@pytest.mark.parametrize(
    "digest",
    [
        *("", "0" * 63, "0" * 65, "g" * 64, "0x" + "0" * 62, "０" * 64, 1, True, [], {}, DIGEST.encode()),
        # bytes.fromhex accepts spaces, and the column takes exactly 32 bytes.
        *("00 " * 21 + "0", " " * 64, "0" * 62 + "  ", "\n" + "0" * 62 + "\n"),
    ],
)
def test_a_digest_that_is_none(digest: Any) -> None:
    assert refused_field(sha256=digest) == "sha256"


def test_no_digest() -> None:
    assert parse(GOOD | {"sha256": None}).sha256 is None


@pytest.mark.parametrize("metadata", [None, [], "", "{}", 1])
def test_metadata_that_is_no_object(metadata: Any) -> None:
    assert refused_field(metadata=metadata) == "metadata"


def test_metadata_is_checked_as_for_a_direct_upload() -> None:
    assert refuse(metadata={"title": "x" * 201}).code == "metadata_too_long"
    assert refuse(metadata={"colour": "red"}).code == "metadata_unknown_field"
    assert refuse(metadata={"tags": "a"}).code == "metadata_wrong_type"


@pytest.mark.parametrize("field", ["size", "s3_key", "id", "", "x" * 1000, "\ud800"])
def test_an_unknown_field(field: str) -> None:
    error = refuse(**{field: 1})

    assert error.code == "upload_invalid"
    # As UTF-8, like the response.
    assert len(json.dumps([error.message, error.details], ensure_ascii=False).encode()) < 400


def test_equal_requests_have_equal_hashes() -> None:
    values = GOOD | {"metadata": {"title": "a", "tags": ["x", "y"]}}
    turned = {key: values[key] for key in reversed(values)}
    assert parse(values).request_hash == parse(turned).request_hash

    changes: list[dict[str, Any]] = [
        {"filename": "b.jpg"},
        {"size_bytes": 12_346},
        {"mime_type": "image/png"},
        {"sha256": DIGEST},
        {"metadata": {"title": "b", "tags": ["x", "y"]}},
        {"metadata": {"title": "a", "tags": ["y", "x"]}},
    ]
    hashes = {parse(values | change).request_hash for change in [{}, *changes]}
    assert len(hashes) == 1 + len(changes)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
hex_like = st.text("0123456789abcdefABCDEF \t\n", min_size=64, max_size=64)


@given(
    st.fixed_dictionaries(
        {"filename": json_values | st.just("a.jpg"), "size_bytes": json_values | st.integers(1, LIMIT)},
        optional={
            "mime_type": json_values | st.just("image/png"),
            "sha256": json_values | hex_like,
            "metadata": json_values,
            "other": json_values,
        },
    )
)
def test_anything_is_what_the_database_takes_or_refused(values: dict[str, Any]) -> None:
    try:
        found = parse(values)
    except (PayloadTooLargeError, UnprocessableError, UnsupportedMediaTypeError):
        return
    assert 1 <= len(found.filename) <= 255
    assert "\0" not in found.filename
    assert 1 <= found.size_bytes <= LIMIT
    assert found.sha256 is None or len(found.sha256) == 32
    assert len(found.request_hash) == 32


@given(hex_like)
def test_any_digest_is_32_bytes_or_refused(digest: str) -> None:
    try:
        found = parse(GOOD | {"sha256": digest})
    except UnprocessableError:
        return
    assert found.sha256 == bytes.fromhex(digest)
    assert len(found.sha256) == 32
