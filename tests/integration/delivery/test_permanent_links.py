"""Links without an expiry, until they are revoked; links for further variants."""

import io
from urllib.parse import parse_qs, urlsplit

from imageapi.images import revoke_links
from PIL import Image

from tests.integration.client import Json, get, send, upload
from tests.integration.delivery.conftest import PICTURE
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import KEY, fetch, image_event, open_link
from tests.integration.stores import Configure, Stores, new_id
from tests.support import pictures
from tests.support.answers import Answer


def permanent_links(image: Json) -> dict[str, str]:
    urls: dict[str, str] = get(f"/api/images/{image['id']}", {"links": "permanent"}).image["urls"]
    return urls


def revoke(image_id: str, key: str = KEY["X-API-Key"]) -> Answer:
    return send(image_event("POST", f"{image_id}/links/revoke", headers={"X-API-Key": key}))


def test_they_have_no_expiry_and_stay_the_same(image: Json) -> None:
    urls = permanent_links(image)

    assert set(urls) == {"original", "thumbnail", "preview"}
    assert all(set(parse_qs(urlsplit(url).query)) == {"v", "k", "s"} for url in urls.values())
    assert permanent_links(image) == urls
    assert fetch(urls["original"]).data == PICTURE


def test_the_etag_is_that_of_the_links(image: Json) -> None:
    path = f"/api/images/{image['id']}"
    expiring, permanent = (get(path, query).headers["etag"] for query in ({}, {"links": "permanent"}))
    assert expiring != permanent

    revoke(image["id"])

    assert get(path, {"links": "permanent"}).headers["etag"] != permanent
    assert get(path).headers["etag"] == expiring


def test_revoking_ends_all_earlier_ones_of_this_image_only(stores: Stores, image: Json) -> None:
    other = upload(pictures.png()).image
    old, others = permanent_links(image), permanent_links(other)
    fetch(old["thumbnail"])

    for _ in range(2):
        answer = revoke(image["id"])
        assert answer.status == 200

    for url in old.values():
        assert open_link(url).error == (403, "link_revoked")
    new = permanent_links(image)
    assert answer.image["urls"] == new
    assert fetch(new["original"]).data == fetch(image["urls"]["original"]).data == PICTURE
    assert [fetch(url).status for url in others.values()] == [200, 200, 200]
    changed = get(f"/api/images/{image['id']}").image
    assert {**changed, "urls": None} == {**image, "urls": None}, "nobody's metadata has changed"
    for image_id in ("none", new_id()):
        assert revoke(image_id).error == (404, "image_not_found")


def test_a_key_has_a_daily_limit(stores: Stores, image: Json) -> None:
    """Behind CloudFront, each revocation costs money."""
    links = permanent_links(image)
    stores.execute(
        """INSERT INTO daily_budgets VALUES ('revocations by the API key root',
                                             (now() AT TIME ZONE 'UTC')::date, %s)""",
        (revoke_links.REVOCATIONS_PER_DAY,),
    )

    answer = revoke(image["id"])

    assert answer.error == (429, "revocation_budget_spent")
    assert 0 < int(answer.headers["retry-after"][0]) <= 86_400
    assert permanent_links(image) == links
    assert revoke(image["id"], make_key("images:read", "images:write")["key"]).status == 200
    stores.execute("UPDATE daily_budgets SET day = day - 1")
    assert revoke(image["id"]).status == 200


def test_behind_cloudfront_it_is_told(stores: Stores, image: Json, configure: Configure) -> None:
    """If the message fails, the links end anyway."""
    configure(EDGE="true")
    assert revoke(image["id"]).status == 200
    assert stores.keys() == [f"invalidations/{image['id']}", image["s3_key"]]

    old = permanent_links(image)["thumbnail"]
    configure(MINIO_ENDPOINT_URL="http://127.0.0.1:1")
    assert revoke(image["id"]).error == (503, "storage_unavailable")
    assert open_link(old).code == "link_revoked"


def test_links_for_further_variants(stores: Stores) -> None:
    """GET, PATCH and lists return them."""
    first, image = (upload(pictures.jpeg(800, 600, seed=seed)).image for seed in (1, 2))
    query = {"variants": "w640,w320-cover.webp"}

    answer = get("/api/images", query | {"links": "permanent", "limit": "1"})

    (listed,) = answer.body["images"]
    assert [variant["name"] for variant in listed["variants"]] == ["w640", "w320-cover.webp"]
    shown = get(f"/api/images/{image['id']}", query | {"links": "permanent"}).image
    assert (listed["urls"], listed["variants"]) == (shown["urls"], shown["variants"])
    changed = send(image_event("PATCH", image["id"], {"title": "new"}, query=query)).image
    assert changed["title"] == "new"
    for variants in (listed["variants"], changed["variants"]):
        for variant, size in zip(variants, [(640, 480), (320, 320)], strict=True):
            assert f"/{variant['name']}?" in variant["url"]
            assert (variant["width"], variant["height"]) == size
            assert Image.open(io.BytesIO(fetch(variant["url"]).data)).size == size
    assert "variants=w640%2Cw320-cover.webp" in answer.headers["link"][0]
    assert "links=permanent" in answer.headers["link"][0]
    # Neither parameter is a filter, so a cursor works without them.
    (following,) = get("/api/images", {"cursor": answer.body["next_cursor"]}).body["images"]
    assert (following["id"], following["variants"]) == (first["id"], [])
