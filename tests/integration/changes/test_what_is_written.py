"""Every change of an image, a key or a webhook is one row, with the values before and after."""

from contextlib import closing
from typing import Any

import pytest
from imageapi.database import db

from tests.integration.analyses import analyze, gemini_beside
from tests.integration.changes.reading import add, changes, cursor, history, new_key
from tests.integration.client import send, upload
from tests.integration.images.examples import PICTURE
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import (
    announce_event,
    arrived,
    delete_for_good,
    get_image,
    patch_image,
    post_file,
    sweep,
)
from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.calls import ask as ask_webhooks
from tests.integration.webhooks.calls import create as create_webhook
from tests.integration.webhooks.calls import settle, take
from tests.support.events import API_KEY, LambdaContext, load_handler, make_event

NOT_SHOWN = {"version", "urls", "variants", "placeholder", "duplicate_of"}


def shown(image: dict[str, Any]) -> dict[str, Any]:
    """The fields of an image that the feed contains."""
    return {name: value for name, value in image.items() if name not in NOT_SHOWN}


def only_change(since: str) -> dict[str, Any]:
    (change,) = changes(since)
    return change


def test_an_upload(stores: Stores) -> None:
    answer = upload(PICTURE, {"title": "海", "tags": ["a", "b"]})
    (change,) = changes()
    assert change == {
        "type": "image.uploaded",
        "subject_id": answer.image["id"],
        "version": 1,
        "key_id": "root",
        "request_id": answer.headers["x-request-id"][0],
        "before": None,
        "after": shown(answer.image),
        "sequence": change["sequence"],
        "created_at": change["created_at"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "静かな港"),
        ("title", "\\u0000 'quoted' \"twice\" \\ 🌊 \u202e"),
        ("description", "🌊" * 2_000),
        ("category", "Sea"),
        ("tags", [f"tag {number}" for number in range(32)]),
        ("tags", []),
    ],
    ids=lambda value: str(value)[:12],
)
def test_each_field(stores: Stores, field: str, value: object) -> None:
    image = upload(PICTURE, {"title": "a", "description": "b", "category": "c", "tags": ["d"]}).image
    since = cursor()
    answer = patch_image(image["id"], {field: value})
    change = only_change(since)
    assert (change["type"], change["subject_id"], change["version"]) == ("image.changed", image["id"], 2)
    assert change["before"] == {name: image[name] for name in (field, "updated_at")}
    assert change["after"] == {name: answer.image[name] for name in (field, "updated_at")}
    assert change["request_id"] == answer.headers["x-request-id"][0]


def test_what_changes_nothing_writes_nothing(stores: Stores) -> None:
    image_id = upload(PICTURE).image["id"]
    since = cursor()
    assert patch_image(image_id, {}).status == 200
    assert patch_image(image_id, {"title": "x"}, If_Match='"7"').status == 412
    assert patch_image(image_id, {"title": "a\0b"}).status == 422
    assert delete_for_good(image_id, If_Match='"7"').status == 412
    assert upload(b"no picture").status == 415
    assert get_image(image_id).status == 200
    sweep()
    assert changes(since) == []


def test_the_same_value_again_is_a_change_of_its_time(stores: Stores) -> None:
    image = upload(PICTURE, {"title": "x"}).image
    since = cursor()
    answer = patch_image(image["id"], {"title": "x"})
    assert only_change(since)["after"] == {"updated_at": answer.image["updated_at"]}


def test_revoked_links(stores: Stores) -> None:
    image_id = upload(PICTURE).image["id"]
    since = cursor()
    send(make_event("POST", f"/api/images/{image_id}/links/revoke", {"X-API-Key": API_KEY}))
    change = only_change(since)
    assert (change["type"], change["version"]) == ("image.links_revoked", 1)
    assert (change["before"], change["after"]) == ({"link_version": 0}, {"link_version": 1})


def test_analyses(stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = upload(PICTURE).image["id"]
    since = cursor()
    with gemini_beside(stores, configure, monkeypatch):
        first = analyze(image_id).body["data"]
        change = only_change(since)
        assert (change["type"], change["key_id"], change["before"]) == ("image.analyzed", "root", None)
        assert change["after"] == {
            name: first[name] for name in ("model", "caption", "tags", "text_seen", "safety", "analyzed_at")
        }
        since = cursor()
        second = analyze(image_id, again="true").body["data"]
    change = only_change(since)
    assert change["before"] == {"analyzed_at": first["analyzed_at"]}
    assert change["after"] == {"analyzed_at": second["analyzed_at"]}


TRASH = """WITH gone AS (DELETE FROM image_metadata WHERE id = %(id)s RETURNING *)
           INSERT INTO trashed_images SELECT *, now(), '2030-01-31 12:00:00.5+09' FROM gone"""
RESTORE = """WITH back AS (DELETE FROM trashed_images WHERE id = %(id)s RETURNING *)
             INSERT INTO image_metadata (id, version, title, filename, s3_key, mime_type, size_bytes,
                                         width, height, sha256, created_at, updated_at, restored_at)
             SELECT id, version + 1, title, filename, s3_key, mime_type, size_bytes, width, height,
                    sha256, created_at, updated_at, now() FROM back"""


def test_the_trash(stores: Stores) -> None:
    image = upload(PICTURE, {"title": "x"}).image
    since, values = cursor(), {"id": image["id"]}
    stores.execute(TRASH, values)
    stores.execute(RESTORE, values)
    stores.execute(TRASH, values)

    found = changes(since)
    types = [f"{change['type']} {change['version']}" for change in found]
    assert types == ["image.trashed 1", "image.restored 2", "image.trashed 2"]
    assert found[0]["after"] == {"purge_at": "2030-01-31T03:00:00.500Z"}
    assert found[1]["after"] == shown(image) | {"exif": {}}

    (other,) = stores.insert_ready()
    stores.execute("DELETE FROM trashed_images")
    stores.execute("DELETE FROM image_metadata WHERE id = %s", (other,))
    deleted = [(change["type"], change["version"], change["after"]) for change in changes(since)[-2:]]
    assert deleted == [("image.deleted", 2, None), ("image.deleted", 1, None)]


def test_webhooks(stores: Stores, configure: Configure) -> None:
    configure(WEBHOOKS="true")
    since, key = cursor(), make_key("keys:manage", "images:read")
    webhook = create_webhook("https://93.184.215.14/?token=of-the-url", "image.deleted", key=key["key"])
    path = f"/{webhook['id']}"
    rotated = ask_webhooks("POST", f"{path}/secret/rotate").body["data"]["secret"]
    add(stores, 1)
    outcome = {"id": "a", "type": "b", "status": 410, "error": "status_not_2xx", "retry_after": None}
    (taken,) = take()
    settle([taken | {"results": [outcome | {"sequence": taken["messages"][0]["sequence"]}]}])
    ask_webhooks("POST", f"{path}/resume")
    ask_webhooks("DELETE", path)

    found = [change for change in changes(since) if change["type"].startswith("webhook.")]
    created, rotation, pause, resumption, deleted = found
    facts = {"id": webhook["id"], "url": "https://93.184.215.14/?…", "types": ["image.deleted"]}
    nothing = dict.fromkeys(("paused_at", "pause_reason", "rotated_at"))
    assert (created["type"], created["key_id"]) == ("webhook.created", key["id"])
    assert (created["before"], created["after"]) == (None, {**facts, "created_by": key["id"], **nothing})
    assert (rotation["type"], rotation["before"]) == ("webhook.changed", {"rotated_at": None})
    assert (pause["key_id"], pause["after"]["pause_reason"]) == (None, "receiver_gone")
    assert resumption["after"] == {"paused_at": None, "pause_reason": None, "created_by": "root"}
    assert (deleted["type"], deleted["before"]["id"]) == ("webhook.deleted", webhook["id"])
    assert deleted["after"] is None
    text = str(stores.execute("SELECT changes::text FROM changes"))
    for secret in ("of-the-url", webhook["secret"], rotated):
        assert secret not in text

    reader = make_key("images:read")["key"]
    assert [change["type"] for change in changes(since, key=reader)] == ["image.deleted"]
    assert history(webhook["id"]).error == (404, "image_not_found")


@pytest.mark.parametrize("finish", ["ingest", "sweep"])
@pytest.mark.parametrize("known", [True, False])
def test_a_presigned_upload_is_that_of_the_key_that_announced_it(
    stores: Stores, finish: str, known: bool
) -> None:
    key = new_key("images:write")
    event = announce_event(PICTURE)
    event["headers"]["X-API-Key"] = key["key"]
    ticket = send(event).body["data"]
    assert post_file(ticket["form"], PICTURE) < 300
    if not known:  # registered before there were keys
        stores.execute("UPDATE uploads SET key_id = NULL")
    since, context = cursor(), LambdaContext()
    if finish == "ingest":
        load_handler("UploadFunction")(arrived(ticket["id"]), context)
    else:
        stores.execute("UPDATE uploads SET expires_at = now() - interval '1 s'")
        load_handler("SweepFunction")({"object_grace_seconds": -60}, context)
    change = only_change(since)
    assert (change["type"], change["subject_id"]) == ("image.uploaded", ticket["id"])
    assert change["key_id"] == (key["id"] if known else None)
    assert change["request_id"] == context.aws_request_id


def test_the_order_is_that_of_commits_and_an_open_transaction_stops_nobody(stores: Stores) -> None:
    first, second = stores.insert_ready(2)
    since = cursor()
    sql = "UPDATE image_metadata SET version = version + 1, link_version = link_version + 1 WHERE id = %s"
    with closing(stores.postgres.connect()) as connection:
        connection.cursor().execute(sql, (first,))
        db.query_as_actor(sql, (second,))
        assert [change["subject_id"] for change in changes(since)] == [second] * 2
        connection.commit()
    found = changes(since)
    assert [change["subject_id"] for change in found] == [second] * 2 + [first] * 2
    assert {change["type"] for change in found} == {"image.changed", "image.links_revoked"}
