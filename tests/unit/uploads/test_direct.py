"""The parts of an upload that touch no store: request identity, refusals, and keys."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import AppError
from imageapi.pictures import identify
from imageapi.storage import s3
from imageapi.uploads.direct import check_upload, upload_image

from tests.support import pictures
from tests.support.settings import use_settings

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
JPEG = identify.Kind("JPEG", "image/jpeg", "jpg")
METADATA: dict[str, Any] = {
    "title": "title",
    "description": "description",
    "category": "category",
    "tags": ["a", "b"],
}


def hash_request(
    data: bytes = pictures.jpeg(),
    filename: str = "cat.jpg",
    on_duplicate: str = "allow",
    key: str = "key",
    **changes: Any,
) -> bytes:
    return check_upload(data, filename, METADATA | changes, key, on_duplicate).request_hash


OTHERS: dict[str, dict[str, Any]] = {
    "bytes": {"data": pictures.png()},
    "filename": {"filename": "dog.jpg"},
    "no filename": {"filename": ""},
    "title": {"title": "other"},
    "description": {"description": "other"},
    "category": {"category": "other"},
    "tags": {"tags": ["a"]},
    "order of tags": {"tags": ["b", "a"]},
    "tags run together": {"tags": ["a, b"]},
    "title and description swapped": {"title": "description", "description": "title"},
    "on_duplicate": {"on_duplicate": "return"},
    "text that cannot be ASCII": {"title": "題"},
}


@pytest.mark.usefixtures("no_stores")
@pytest.mark.parametrize("what", OTHERS)
def test_another_request_has_another_hash(what: str) -> None:
    assert hash_request(**OTHERS[what]) != hash_request()


@pytest.mark.usefixtures("no_stores")
def test_all_of_them_differ() -> None:
    assert len({hash_request(**changes) for changes in OTHERS.values()}) == len(OTHERS)


@pytest.mark.usefixtures("no_stores")
def test_the_hash_does_not_depend_on_the_key() -> None:
    """The request is looked up by its key."""
    assert hash_request(key="other") == hash_request()
    assert len(hash_request()) == 32


@pytest.fixture
def no_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings exist; any access to a store fails the test."""

    def touch(*_: Any, **__: Any) -> None:
        raise AssertionError("a store was touched")

    for module, name in (
        (db, "query"),
        (db, "transaction"),
        (s3, "put_object"),
        (s3, "get_client"),
    ):
        monkeypatch.setattr(module, name, touch)
    names = ("DB_HOST", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET_NAME")
    with use_settings(monkeypatch, dict.fromkeys(names, "some-value")):
        yield


def refusal(data: bytes = b"", **options: Any) -> tuple[int, str]:
    with pytest.raises(AppError) as caught:
        upload_image(data or pictures.jpeg(), "a.jpg", {}, **options)
    return caught.value.status, caught.value.code


@pytest.mark.usefixtures("no_stores")
@pytest.mark.parametrize("on_duplicate", ["", "Allow", "replace", "allow,return", "\0"])
def test_ways_to_handle_duplicates_that_are_none(on_duplicate: str) -> None:
    assert refusal(on_duplicate=on_duplicate) == (400, "on_duplicate_invalid")


@pytest.mark.usefixtures("no_stores")
@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\0b", "鍵", "\ud800", "\x7f"])
def test_idempotency_keys_that_cannot_be_stored(key: str) -> None:
    assert refusal(idempotency_key=key) == (400, "idempotency_key_invalid")


@pytest.mark.usefixtures("no_stores")
def test_bad_metadata_are_refused_before_anything_is_stored() -> None:
    with pytest.raises(AppError) as caught:
        upload_image(pictures.jpeg(), "a.jpg", {"titel": "x"})
    assert (caught.value.status, caught.value.code) == (422, "metadata_unknown_field")


@pytest.mark.usefixtures("no_stores")
@pytest.mark.parametrize("name", ["png_header_huge", "png_bomb", "svg", "html", "text"])
def test_what_the_header_tells_is_refused_before_anything_is_stored(name: str) -> None:
    make, status, code = pictures.BAD[name]
    assert refusal(make()) == (status, code)


@pytest.mark.usefixtures("no_stores")
def test_the_limit_of_pixels_is_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_PIXELS", str(64 * 48 - 1))
    get_settings.cache_clear()
    assert refusal(pictures.jpeg()) == (422, "too_many_pixels")
    assert identify.identify(io.BytesIO(pictures.jpeg()), 64 * 48) == JPEG
