"""A key can do only what its scopes allow. Without images:read, no response reveals an image.

The tests try each operation of openapi.json with each scope. Then they try it with its own scopes, and with
all scopes except images:read, on images in every state.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.http.operations import find_operation
from imageapi.model.scopes import READ, SCOPES, WRITE
from PIL import ExifTags

from tests.integration.client import send, upload
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import announce_and_post, complete_event, get_image, post_file, trash_image
from tests.integration.stores import Configure, Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event
from tests.support.multipart import upload_body
from tests.support.openapi import operations
from tests.support.pictures import jpeg

NOWHERE = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
MARK = "marker"
"""A text in each field of each image, its file name and its analysis."""
LINK = re.compile(r"/images/[^\"]*\?|[?&]X-Amz-|originals/|variants/|data:image", re.IGNORECASE)
PICTURE = jpeg(exif={ExifTags.Base.Make: MARK, ExifTags.Base.Model: MARK})
METADATA = {name: f"{MARK} of {name}" for name in ("title", "description", "category")} | {"tags": [MARK]}
OTHERS = [scope for scope in SCOPES if scope != READ]
BATCHES: list[dict[str, Any]] = [
    {"operation": "add_tags", "tags": [f"tag {number}" for number in range(32)]},
    {"operation": "set_category", "category": "other"},
    {"operation": "trash"},
    {"operation": "restore"},
    {"operation": "trash", "atomic": True},
    {"operation": "delete"},
]
OPERATIONS = [operation["operationId"] for _, _, operation in operations()]
KEYED = [name for name in OPERATIONS if find_operation(name).scopes is not None]
SCOPED = [name for name in KEYED if set(find_operation(name).scopes or ()) & set(OTHERS)]


@pytest.fixture(autouse=True)
def analysis(configure: Configure) -> None:
    """Enable analysis. Existing analyses are not repeated, so the tests send nothing to Gemini."""
    configure(GEMINI_API_KEY="unused")


def make_images(stores: Stores, key: str) -> list[str]:
    """An analyzed image, a trashed one, and two uploads that have arrived. The key registered one of them."""
    ready, trashed = (upload(PICTURE, METADATA, filename=f"{MARK}.jpg").image["id"] for _ in range(2))
    for image_id in (ready, trashed):
        stores.execute(
            """INSERT INTO image_analysis (image_id, status, model, caption, tags, text_seen, analyzed_at)
               VALUES (%s, 'ready', %s, %s, ARRAY[%s], %s, now())""",
            (image_id, *[MARK] * 4),
        )
    assert trash_image(trashed).status == 204
    return [ready, trashed, announce_and_post(PICTURE, metadata=METADATA), announce_own(key)]


def announce_own(key: str) -> str:
    """Register an upload with the key and post its file. If the key may not, return an unknown id."""
    values = {"filename": f"{MARK}.jpg", "size_bytes": len(PICTURE), "metadata": METADATA}
    answer = ask("createUpload", "", key, body=json.dumps(values))
    if answer.status != 201:
        return NOWHERE
    post_file(answer.body["data"]["form"], PICTURE)
    return str(answer.body["data"]["id"])


def ask(name: str, image_id: str, key: str, **request: Any) -> Answer:
    operation = find_operation(name)
    headers = {"X-API-Key": key} | request.pop("headers", {})
    return send(make_event(operation.method, re.sub(r"{\w+}", image_id, operation.path), headers, **request))


def ask_in_every_way(name: str, stores: Stores, key: str) -> Iterator[Answer]:
    """The operation's responses to a key, for images in every state. Other bodies are ``{}``."""
    ids, operation = make_images(stores, key), find_operation(name)
    if name == "uploadImage":
        for on_duplicate in ("return", "reject", "allow"):
            body, content_type = upload_body(PICTURE, f"{MARK}.jpg", METADATA)
            query = {"on_duplicate": on_duplicate}
            yield ask(name, "", key, headers={"Content-Type": content_type}, query=query, body=body)
    elif name == "batchImages":
        for batch in BATCHES:
            yield ask(name, "", key, body=json.dumps({"ids": ids} | batch))
    elif name == "createUpload":
        yield ask(name, "", key, body=json.dumps({"filename": "a.jpg", "size_bytes": len(PICTURE)}))
    else:
        for image_id in ids if "{" in operation.path else [""]:
            yield ask(name, image_id, key, body="" if operation.method == "GET" else "{}")


def find_told(answer: Answer) -> list[str]:
    """The parts of a response that reveal an image."""
    text = f"{answer.headers} {answer.text}"
    return re.findall(MARK, text) + LINK.findall(text)


@pytest.mark.parametrize("name", KEYED)
def test_a_key_needs_a_scope_of_the_operation(stores: Stores, name: str) -> None:
    needed = find_operation(name).scopes or ()
    passing = needed or SCOPES
    others = [scope for scope in SCOPES if scope not in passing]
    for scopes in (*([scope] for scope in others), *[others] * bool(others)):
        answer = ask(name, NOWHERE, make_key(*scopes)["key"])
        assert answer.error == (403, "scope_missing"), scopes
        assert answer.body["error"]["details"] == {"scope": passing[0]}
    for scope in needed[:1] or SCOPES:
        assert ask(name, NOWHERE, make_key(scope)["key"]).status not in (401, 403)


@pytest.mark.parametrize("name", SCOPED)
def test_no_operation_tells_a_key_without_images_read_of_images(stores: Stores, name: str) -> None:
    operation = find_operation(name)
    for scopes in ([scope for scope in OTHERS if scope in (operation.scopes or ())], OTHERS):
        for answer in ask_in_every_way(name, stores, make_key(*scopes)["key"]):
            assert not find_told(answer), (scopes, answer)
            if operation.hides_image and answer.status < 300:
                assert (answer.status, answer.text) == (204, "")
                assert answer.headers["location"][0].startswith("https://")
    if operation.hides_image:  # find_told works
        assert any(map(find_told, ask_in_every_way(name, stores, make_key(READ, WRITE)["key"])))


def test_location_and_etag_name_the_image_and_its_version(stores: Stores) -> None:
    key = make_key(WRITE)["key"]
    body, content_type = upload_body(PICTURE, "a.jpg", METADATA)
    made = ask("uploadImage", "", key, headers={"Content-Type": content_type}, body=body)
    image_id = made.headers["location"][0].rpartition("/")[2]
    image = get_image(image_id)
    assert made.headers["etag"] == image.headers["etag"]

    for etag, status in ((made.headers["etag"][0], 204), (made.headers["etag"][0], 412)):
        answer = ask("updateImage", image_id, key, headers={"If-Match": etag}, body='{"title": "new"}')
        assert answer.status == status
    assert (
        ask("updateImage", image_id.upper(), key, body="{}").headers["location"] == made.headers["location"]
    )
    assert get_image(image_id).image["title"] == "new"


def test_only_the_key_that_announced_completes_an_upload_unless_it_reads(stores: Stores) -> None:
    announcer, other, reader = (make_key(*scopes)["key"] for scopes in ([WRITE], [WRITE], [READ, WRITE]))
    first, second = announce_own(announcer), announce_own(announcer)

    assert ask("completeUpload", first, other).error == (404, "upload_not_found")
    assert stores.statuses() == ["pending"] * 2, "nothing was done"
    assert ask("completeUpload", first, announcer).status == 204
    assert ask("completeUpload", second, reader).image["title"] == METADATA["title"]
    # A key with images:write can detect that an image exists, with a PATCH that changes nothing.
    assert ask("completeUpload", first, other).status == 204
    assert send(complete_event(first) | {"headers": {"X-API-Key": API_KEY}}).status == 200


def test_why_an_upload_was_refused_is_told_to_who_announced_it(stores: Stores) -> None:
    announcer, other = (make_key(WRITE)["key"] for _ in range(2))
    upload_id = announce_own(announcer)
    stores.client.put_object(Bucket=stores.s3.bucket, Key=f"incoming/{upload_id}", Body=b"x" * len(PICTURE))

    for key, error in ((announcer, (415, "unsupported_image_type")), (other, (404, "upload_not_found"))):
        assert ask("completeUpload", upload_id, key).error == error
