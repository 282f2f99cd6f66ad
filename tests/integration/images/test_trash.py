"""The trash: moving images there and back, the data that stays, and the scopes."""

from datetime import timedelta
from typing import Any

import pytest
from imageapi.model.times import show_time

from tests.integration.client import Json, get, send, upload
from tests.integration.images.examples import METADATA, PICTURE, etag_of, shown
from tests.integration.leftovers import counts, remove
from tests.integration.lifecycle import (
    delete_for_good,
    fetch,
    get_image,
    image_event,
    open_link,
    patch_image,
    restore_image,
    sweep,
    trash_image,
)
from tests.integration.stores import Stores
from tests.support.answers import Answer


def list_trash(**query: str) -> Answer:
    return get("/api/trash", query)


def types(stores: Stores, image_id: str) -> list[str]:
    """The types of an image's changes."""
    return [row["type"] for row in stores.changes(image_id)]


def test_both_tables_have_the_same_columns(stores: Stores) -> None:
    sql = """SELECT column_name, data_type, collation_name, is_nullable, column_default
             FROM information_schema.columns WHERE table_name = %s ORDER BY column_name"""
    live, trashed = (stores.execute(sql, (table,)) for table in ("image_metadata", "trashed_images"))
    own = {"trashed_at", "purge_after", "analysis"}
    assert [column for column in trashed if column["column_name"] not in own] == live


def test_a_trashed_image_is_gone_from_everything_but_the_trash(stores: Stores, image: Json) -> None:
    for link in ("thumbnail", "preview"):
        assert fetch(image["urls"][link], "image/webp").status == 200

    answer = trash_image(image["id"])

    assert (answer.status, answer.body) == (204, None)
    assert stores.statuses() == ["trashed"], "nothing is left to do"
    assert stores.keys() == [image["s3_key"]], "the original stays"
    total = {"value": 0, "relation": "exact"}
    assert get("/api/images", {"total": "true"}).body == {"images": [], "next_cursor": None, "total": total}
    assert get("/api/images", {"q": "夕焼け"}).body["images"] == []
    assert get("/api/categories").body["categories"] == []
    assert get("/api/tags").body["tags"] == []
    for name in ("original", "thumbnail"):
        assert open_link(image["urls"][name]).status == 404
    patched = patch_image(image["id"], {"title": "x"})
    for refused in (get_image(image["id"]), patched, trash_image(image["id"])):
        assert refused.error == (404, "image_not_found")
        assert refused.body["error"]["details"] == {"trashed": True}
    assert types(stores, image["id"]) == ["image.uploaded", "image.trashed"]
    (listed,) = list_trash().body["images"]
    (row,) = stores.execute("SELECT trashed_at, purge_after FROM trashed_images")
    times = {"trashed_at": show_time(row["trashed_at"]), "purge_at": show_time(row["purge_after"])}
    assert listed == shown(image) | times
    assert row["purge_after"] - row["trashed_at"] == timedelta(days=30)


def test_a_restored_image_is_as_it_was(stores: Stores, image: Json) -> None:
    patch_image(image["id"], {"title": "朝焼け"})
    before, etag = get_image(image["id"]).image, etag_of(image["id"])
    send(image_event("POST", f"{image['id']}/links/revoke"))
    (row,) = stores.execute("SELECT * FROM image_metadata")
    trash_image(image["id"])

    answer = restore_image(image["id"])

    assert answer.status == 200
    assert shown(answer.image) == shown(before)
    assert answer.headers["etag"] == [etag_of(image["id"])] == [etag]
    (restored,) = stores.execute("SELECT * FROM image_metadata")
    assert restored["restored_at"] is not None
    assert restored | {"restored_at": None} == row, "updated_at, version, link_version and tokens too"
    assert stores.statuses() == ["ready"]
    assert [found["id"] for found in get("/api/images", {"q": "朝焼け"}).body["images"]] == [image["id"]]
    tags = [{"name": tag, "image_count": 1} for tag in sorted(METADATA["tags"])]
    assert get("/api/tags").body["tags"] == tags
    assert fetch(image["urls"]["original"]).data == PICTURE
    assert fetch(image["urls"]["thumbnail"]).status == 200
    assert types(stores, image["id"])[-2:] == ["image.trashed", "image.restored"]
    assert restore_image(image["id"]).error == (409, "image_not_trashed")
    assert trash_image(image["id"]).status == 204
    assert restore_image(image["id"]).status == 200


def test_an_analysis_goes_along(stores: Stores, image: Json) -> None:
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, model, caption, tags, safety, analyzed_at)
           VALUES (%s, 'ready', 'm', '海辺', '{a,"b c"}', '{"adult": "UNLIKELY"}', now())""",
        (image["id"],),
    )
    before = stores.execute("SELECT * FROM image_analysis")
    path = f"/api/images/{image['id']}/analysis"
    shown_before = get(path).body

    trash_image(image["id"])
    assert stores.execute("SELECT * FROM image_analysis") == []
    restore_image(image["id"])

    assert stores.execute("SELECT * FROM image_analysis") == before
    assert get(path).body == shown_before
    assert "image.analyzed" not in types(stores, image["id"])


@pytest.mark.parametrize("first", [trash_image, delete_for_good])
def test_if_match(stores: Stores, image: Json, first: Any) -> None:
    old = etag_of(image["id"])
    patch_image(image["id"], {"title": "changed"})

    assert first(image["id"], If_Match=old).code == "version_mismatch"
    assert stores.statuses() == ["ready"]

    new = etag_of(image["id"])
    assert trash_image(image["id"], If_Match=new).status == 204
    assert delete_for_good(image["id"], If_Match=old).code == "version_mismatch"
    assert stores.statuses() == ["trashed"]
    assert delete_for_good(image["id"], If_Match=new).status == 204
    assert stores.is_empty()


@pytest.mark.parametrize("is_trashed", [True, False])
def test_a_permanent_deletion_leaves_nothing(stores: Stores, viewed: Json, is_trashed: bool) -> None:
    if is_trashed:
        trash_image(viewed["id"])

    answer = delete_for_good(viewed["id"])

    assert (answer.status, answer.body) == (204, None)
    assert stores.is_empty()
    assert stores.variants() == []
    for gone in (get_image(viewed["id"]), restore_image(viewed["id"]), delete_for_good(viewed["id"])):
        assert gone.error == (404, "image_not_found")
        assert "details" not in gone.body["error"]
    assert get("/api/images").body["images"] == []
    assert open_link(viewed["urls"]["original"]).status == 404
    trashed = ["image.trashed"] * is_trashed
    assert types(stores, viewed["id"]) == ["image.uploaded", *trashed, "image.deleted"]


def test_the_same_bytes_are_a_new_image(stores: Stores, image: Json) -> None:
    trash_image(image["id"])

    new = upload(PICTURE, on_duplicate="reject")

    assert new.status == 201
    assert new.image["duplicate_of"] is None
    again = upload(PICTURE, on_duplicate="return")
    assert (again.status, again.image["id"]) == (200, new.image["id"])
    restore_image(image["id"])
    assert get_image(new.image["id"]).image["duplicate_of"] == image["id"]


def test_the_sweep_empties_the_trash(stores: Stores) -> None:
    ids = [upload(PICTURE).image["id"] for _ in range(4)]
    for image_id in ids[:3]:
        trash_image(image_id)
    stores.execute("UPDATE trashed_images SET purge_after = now() WHERE id <> %s", (ids[0],))

    assert counts(sweep(dry_run=True)) == {"purged": 2}
    assert stores.statuses() == ["trashed"] * 3 + ["ready"]
    assert counts(sweep(has_time=False)) == {}
    assert counts(sweep()) == {"purged": 2}

    assert stores.statuses() == ["trashed", "ready"]
    assert stores.keys() == [f"originals/{image_id}.jpg" for image_id in (ids[0], ids[3])]
    assert types(stores, ids[1]) == ["image.uploaded", "image.trashed", "image.deleted"]
    assert counts(sweep()) == {}


def test_a_database_of_nothing_but_trash_knows_its_bucket(stores: Stores, image: Json) -> None:
    trash_image(image["id"])
    assert sweep()["is_another_bucket"] is False
    remove(stores, image["s3_key"])
    report = sweep()
    assert report["is_another_bucket"] is True
    assert report["missing_ids"] == [image["id"]]
