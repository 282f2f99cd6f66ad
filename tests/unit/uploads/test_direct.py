"""Uploads that are refused before a store is used; when two requests are the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.database import db
from imageapi.errors import AppError
from imageapi.storage import s3
from imageapi.uploads.direct import check_upload, upload_image

from tests.support import pictures
from tests.support.settings import use_settings

JPEG = pictures.jpeg()
METADATA: dict[str, Any] = {name: name for name in ("title", "description", "category")} | {
    "tags": ["a", "b"]
}


@pytest.fixture(autouse=True)
def no_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings exist; any access to a store fails the test."""

    def touch(*_: Any, **__: Any) -> None:
        raise AssertionError("a store was touched")

    for module, name in ((db, "query"), (db, "transaction"), (s3, "put_object"), (s3, "get_client")):
        monkeypatch.setattr(module, name, touch)
    names = ("DB_HOST", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET_NAME")
    with use_settings(monkeypatch, dict.fromkeys(names, "some-value")):
        yield


def hash_request(
    data: bytes = JPEG,
    filename: str = "cat.jpg",
    on_duplicate: str = "allow",
    key: str = "key",
    **changes: Any,
) -> bytes:
    return check_upload(data, filename, METADATA | changes, key, on_duplicate).request_hash


def test_every_other_request_has_another_hash() -> None:
    others: list[dict[str, Any]] = [
        *({"data": pictures.png()}, {"filename": "dog.jpg"}, {"filename": ""}, {"on_duplicate": "return"}),
        *({"title": "other"}, {"description": "other"}, {"category": "other"}, {"title": "題"}),
        *({"tags": ["a"]}, {"tags": ["b", "a"]}, {"tags": ["a, b"]}),
        {"title": "description", "description": "title"},
    ]
    assert len({hash_request(**changes) for changes in [{}, *others]}) == 1 + len(others)
    assert hash_request(key="other") == hash_request(), "the request is looked up by its key"
    assert len(hash_request()) == 32


def refusal(data: bytes = JPEG, metadata: Any = None, **options: Any) -> tuple[int, str]:
    with pytest.raises(AppError) as caught:
        upload_image(data, "a.jpg", metadata or {}, **options)
    return caught.value.status, caught.value.code


def test_what_is_refused_before_anything_is_stored() -> None:
    for key in ("", "k" * 256, "a\nb", "a\0b", "鍵", "\ud800", "\x7f"):
        assert refusal(idempotency_key=key) == (400, "parameter_invalid")
    assert refusal(metadata={"title": "x" * 201}) == (422, "field_invalid")
    assert refusal(pictures.SVG) == (415, "unsupported_image_type")
