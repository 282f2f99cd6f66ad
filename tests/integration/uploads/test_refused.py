"""Refused uploads: the right status and code, and nothing left in either store."""

import resource
import time
from threading import Event
from typing import Any

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.pictures import inspect
from imageapi.storage import s3
from PIL import ImageFile

from tests.integration.client import send, upload, upload_event, upload_form
from tests.integration.stores import Configure, Stores
from tests.support import multipart, pictures

IMAGE = multipart.file(pictures.jpeg())
METADATA = multipart.field("metadata", "{}")
LONG_HEADER = multipart.file(pictures.jpeg(), headers=[b"X-Long: " + b"x" * 10_240])

Metadata = dict[str, object] | str | bytes


@pytest.mark.parametrize("name", pictures.BAD)
def test_bad_picture(stores: Stores, name: str) -> None:
    make, status, code = pictures.BAD[name]

    answer = upload(make())

    assert (answer.status, answer.code) == (status, code)
    assert stores.is_empty()


def test_picture_above_max_pixels(stores: Stores, configure: Configure) -> None:
    configure(MAX_PIXELS="3071")

    answer = upload(pictures.jpeg(64, 48))

    assert (answer.status, answer.code) == (422, "too_many_pixels")
    assert stores.is_empty()


@pytest.mark.parametrize(
    ("metadata", "status", "code"),
    [
        ("", 400, "metadata_not_json"),
        ("title=x", 400, "metadata_not_json"),
        (b'{"title": "\xff"}', 400, "metadata_not_json"),
        ("[" * 5_000, 400, "metadata_not_json"),
        ("[]", 422, "metadata_not_an_object"),
        ("null", 422, "metadata_not_an_object"),
        ('{"titel": "x"}', 422, "metadata_unknown_field"),
        ('{"title": 7}', 422, "metadata_wrong_type"),
        ('{"tags": "sea"}', 422, "metadata_wrong_type"),
        ('{"tags": [null]}', 422, "metadata_wrong_type"),
        ('{"title": "a\\u0000b"}', 422, "metadata_invalid_text"),
        ('{"description": "\\ud83d"}', 422, "metadata_invalid_text"),
        ('{"tags": ["\\udfff"]}', 422, "metadata_invalid_text"),
        ({"title": "あ" * 201}, 422, "metadata_too_long"),
        ({"description": "x" * 2_001}, 422, "metadata_too_long"),
        ({"category": "x" * 65}, 422, "metadata_too_long"),
        ({"tags": [str(n) for n in range(33)]}, 422, "metadata_too_long"),
        ({"tags": ["x" * 65]}, 422, "metadata_too_long"),
        ({"title": "x" * 70_000}, 422, "metadata_too_long"),
    ],
)
def test_bad_metadata(stores: Stores, metadata: Metadata, status: int, code: str) -> None:
    answer = upload(pictures.jpeg(), metadata)

    assert (answer.status, answer.code) == (status, code)
    assert stores.is_empty()


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([], 400, "file_missing"),
        ([METADATA], 400, "file_missing"),
        ([IMAGE], 400, "metadata_missing"),
        ([multipart.file(b""), METADATA], 400, "file_empty"),
        ([IMAGE, IMAGE, METADATA], 400, "field_repeated"),
        ([IMAGE, METADATA, METADATA], 400, "field_repeated"),
        ([IMAGE, METADATA, multipart.field("owner", "me")], 400, "field_unknown"),
        ([multipart.file(pictures.jpeg(), name="file"), METADATA], 400, "field_unknown"),
        ([LONG_HEADER, METADATA], 400, "invalid_multipart"),
        ([multipart.file(pictures.jpeg_of_size(4_400_001)), METADATA], 413, "payload_too_large"),
        ([multipart.file(pictures.jpeg_of_size(4_600_000)), METADATA], 413, "payload_too_large"),
    ],
)
def test_bad_form(stores: Stores, parts: list[multipart.Part], status: int, code: str) -> None:
    answer = upload_form(*multipart.build(parts))

    assert (answer.status, answer.code) == (status, code)
    assert stores.is_empty()


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        (None, 415, "not_multipart"),
        ("application/json", 415, "not_multipart"),
        ("image/jpeg", 415, "not_multipart"),
        ("multipart/form-data", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=another", 400, "invalid_multipart"),
    ],
)
def test_bad_content_type(stores: Stores, content_type: str | None, status: int, code: str) -> None:
    body, _ = multipart.upload_body(b"plain text, which every gateway passes on")

    answer = upload_form(body, content_type)

    assert (answer.status, answer.code) == (status, code)
    assert stores.is_empty()


@pytest.mark.parametrize("keep", [0, 1, 100, 400, -60, -8])
def test_body_that_ends_early(stores: Stores, keep: int) -> None:
    body, content_type = multipart.upload_body(pictures.jpeg(), metadata={"title": "cut off"})

    answer = upload_form(body[:keep], content_type)

    assert answer.status == 400
    assert answer.code in ("invalid_multipart", "file_missing")
    assert stores.is_empty()


def test_body_that_is_not_base64(stores: Stores) -> None:
    event = upload_event(pictures.jpeg()) | {"body": "&&&&"}

    answer = send(event)

    assert (answer.status, answer.code) == (400, "body_invalid")


@pytest.mark.parametrize("key", ["", "x" * 256, "キー", "a\tb"])
def test_bad_idempotency_key(stores: Stores, key: str) -> None:
    answer = upload(pictures.jpeg(), idempotency_key=key)

    assert (answer.status, answer.code) == (400, "idempotency_key_invalid")
    assert stores.is_empty()


def test_bad_on_duplicate(stores: Stores) -> None:
    answer = upload(pictures.jpeg(), on_duplicate="maybe")

    assert (answer.status, answer.code) == (400, "on_duplicate_invalid")
    assert stores.is_empty()


@pytest.mark.parametrize(("key", "code"), [(None, "api_key_missing"), ("wrong", "api_key_invalid")])
def test_without_the_key_nothing_is_read(stores: Stores, key: str | None, code: str) -> None:
    event = upload_event(b"not even a picture")
    for headers in (event["headers"], event["multiValueHeaders"]):
        del headers["X-API-Key"]
    if key:
        event["headers"]["X-API-Key"] = key

    answer = send(event)

    assert (answer.status, answer.code) == (401, code)


@pytest.mark.parametrize("step", ["inspect", "put"])
def test_memory_that_runs_out_leaves_nothing_behind(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def run_out(*_: Any, **__: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        if step == "inspect":
            patch.setattr(inspect, "inspect", run_out)
        else:
            patch.setattr(s3, "put_object", run_out)
        answer = upload(pictures.jpeg(), idempotency_key="k")

    assert (answer.status, answer.code) == (500, "internal_error")
    assert stores.is_empty()
    assert stores.idempotency_keys() == []


def test_no_decode_outlives_a_put_that_fails(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would use up the next request's time and memory."""
    started, ended = Event(), Event()

    def decode_until_cancelled(image: ImageFile.ImageFile) -> None:
        started.set()
        try:
            while True:
                image.fp.check_time()  # type: ignore[union-attr]
                time.sleep(0.01)
        finally:
            ended.set()

    def fail(*_: Any, **__: Any) -> None:
        assert started.wait(60)
        raise StorageUnavailableError()

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode_until_cancelled)
    monkeypatch.setattr(s3, "put_object", fail)
    before = resource.getrlimit(resource.RLIMIT_AS)

    assert upload(pictures.jpeg()).code == "storage_unavailable"

    assert ended.is_set()
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert stores.is_empty()
