"""The registration of an upload: every field, valid and invalid."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from imageapi.catalog.uploads import NewUpload
from imageapi.errors import AppError
from imageapi.model.image_formats import MIME_TYPES
from imageapi.model.metadata import clean_metadata
from imageapi.model.schemas import check_body
from imageapi.uploads import presigned
from imageapi.uploads.presigned import parse_upload

from tests.support.openapi import body_of

LIMIT = 100_000_000
GOOD: dict[str, Any] = {"filename": "a.jpg", "size_bytes": 12_345}
DIGEST = "0123456789abcdef" * 4


@pytest.fixture(autouse=True, scope="module")
def _limit() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presigned, "get_settings", lambda: SimpleNamespace(max_upload_bytes=LIMIT))
        yield


def parse(**values: Any) -> NewUpload:
    return parse_request(GOOD | values)


def parse_request(values: dict[str, Any]) -> NewUpload:
    return parse_upload(check_body(values, body_of("createUpload")), None)


def test_what_has_to_and_what_can_be_said() -> None:
    found = parse()
    assert (found.filename, found.size_bytes) == ("a.jpg", 12_345)
    assert (found.mime_type, found.metadata) == ("application/octet-stream", clean_metadata({}))
    assert found.sha256 is parse(sha256=None).sha256 is None

    metadata = {"title": " 夕焼け ", "tags": ["海", "海"]}
    found = parse(filename="C:\\写真\\夕焼け.jpg", size_bytes=LIMIT, sha256=DIGEST.upper(), metadata=metadata)
    assert (found.filename, found.size_bytes, found.sha256) == ("夕焼け.jpg", LIMIT, bytes.fromhex(DIGEST))
    assert found.metadata == clean_metadata({"title": "夕焼け", "tags": ["海"]})
    for mime_type in MIME_TYPES:
        assert parse(mime_type=mime_type).mime_type == mime_type


@pytest.mark.parametrize(("sent", "meant"), [("image/heif", "image/heic"), ("image/apng", "image/png")])
def test_other_names_of_types_that_browsers_send(sent: str, meant: str) -> None:
    assert parse(mime_type=sent).mime_type == meant
    assert parse(mime_type=sent).request_hash == parse(mime_type=meant).request_hash


@pytest.mark.parametrize(
    ("field", "values", "status", "code"),
    [
        ("filename", ["", " ", "/", "a/", "...", "\n\t", "\ud800"], 422, "field_invalid"),
        # bytes.fromhex accepts spaces, and the column accepts exactly 32 bytes.
        (
            "sha256",
            ["", "0" * 63, "00 " * 21 + "0", f"\n{'0' * 62}\n", f"{'0' * 64}\n"],
            422,
            "field_invalid",
        ),
        ("size_bytes", [LIMIT + 1, 10**30], 413, "payload_too_large"),
        ("mime_type", ["", "image/*", "IMAGE/JPEG", "image/jpg"], 415, "unsupported_image_type"),
    ],
)
def test_a_field_that_is_refused(field: str, values: list[Any], status: int, code: str) -> None:
    for value in values:
        with pytest.raises(AppError) as caught:
            parse(**{field: value})
        assert (caught.value.status, caught.value.code) == (status, code), value
        assert (caught.value.details or {}).get("field", field) == field


def test_equal_requests_have_equal_hashes() -> None:
    values = GOOD | {"metadata": {"title": "a", "tags": ["x", "y"]}}
    changes: list[dict[str, Any]] = [
        *({}, {"filename": "b.jpg"}, {"size_bytes": 12_346}, {"mime_type": "image/png"}, {"sha256": DIGEST}),
        {"metadata": {"title": "b", "tags": ["x", "y"]}},
        {"metadata": {"title": "a", "tags": ["y", "x"]}},
    ]
    hashes = [parse_request(values | change).request_hash for change in changes]
    assert len(set(hashes)) == len(changes)
    assert parse_request(dict(reversed(values.items()))).request_hash == hashes[0]
