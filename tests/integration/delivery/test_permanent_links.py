"""Links without an expiry, until they are revoked; links for further variants."""

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.images import revoke_links
from PIL import Image

from tests.integration.client import fetch_link, get, send, upload
from tests.integration.delivery.conftest import PICTURE
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import KEY, fetch, open_link
from tests.integration.stores import Configure, Stores, new_id
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.events import make_event


def permanent_links(image: dict[str, Any]) -> dict[str, str]:
    urls: dict[str, str] = get(f"/api/images/{image['id']}", {"links": "permanent"}).image["urls"]
    return urls


def revoke(image_id: str, headers: dict[str, str] = KEY) -> Answer:
    return send(make_event("POST", f"/api/images/{image_id}/links/revoke", headers))


def test_they_have_no_expiry_and_stay_the_same(image: dict[str, Any]) -> None:
    urls = permanent_links(image)

    assert set(urls) == {"original", "thumbnail", "preview"}
    for url in urls.values():
        assert {name: len(values) for name, values in parse_qs(urlsplit(url).query).items()} == dict.fromkeys(
            ("v", "k", "s"), 1
        )
    assert permanent_links(image) == urls
    assert fetch(urls["original"]).data == PICTURE


def test_a_list_has_them_and_so_has_its_next_page(stores: Stores) -> None:
    for seed in (1, 2):
        upload(pictures.jpeg(seed=seed))

    answer = get("/api/images", {"links": "permanent", "variants": "w640", "limit": "1"})

    (image,) = answer.body["images"]
    assert (
        image["urls"]
        == get(f"/api/images/{image['id']}", {"links": "permanent", "variants": "w640"}).image["urls"]
    )
    assert "links=permanent" in answer.headers["link"][0]


def test_other_links_are_refused(image: dict[str, Any]) -> None:
    for path in ("/api/images", f"/api/images/{image['id']}"):
        for value in ("", "eternal", "Permanent"):
            answer = get(path, {"links": value})
            assert answer.error == (400, "parameter_invalid")
            assert answer.body["error"]["details"]["parameter"] == "links"


def test_the_etag_is_that_of_the_links(image: dict[str, Any]) -> None:
    path = f"/api/images/{image['id']}"
    expiring, permanent = (get(path, query).headers["etag"] for query in ({}, {"links": "permanent"}))
    assert expiring != permanent

    revoke(image["id"])

    assert get(path, {"links": "permanent"}).headers["etag"] != permanent
    assert get(path).headers["etag"] == expiring


def test_revoking_ends_all_earlier_ones_of_this_image_only(stores: Stores, image: dict[str, Any]) -> None:
    other = upload(pictures.png()).image
    old, others = permanent_links(image), permanent_links(other)
    fetch(old["thumbnail"])

    for _ in range(2):
        answer = revoke(image["id"])
        assert answer.status == 200

    for url in old.values():
        answer_to_old = open_link(url)
        assert (answer_to_old.status, answer_to_old.code) == (403, "link_revoked")
    new = permanent_links(image)
    assert answer.image["urls"] == new
    assert fetch(new["original"]).data == fetch(image["urls"]["original"]).data == PICTURE
    assert [fetch(url).status for url in others.values()] == [200, 200, 200]
    changed = get(f"/api/images/{image['id']}").image
    assert {**changed, "urls": None} == {**image, "urls": None}, "nobody's metadata has changed"


def test_what_is_not_there_cannot_be_revoked(stores: Stores) -> None:
    for image_id in ("none", new_id()):
        answer = revoke(image_id)
        assert (answer.status, answer.code) == (404, "image_not_found")


def test_a_key_has_a_daily_limit(stores: Stores, image: dict[str, Any]) -> None:
    """Behind CloudFront each costs money."""
    links = permanent_links(image)
    stores.execute(
        """INSERT INTO daily_budgets VALUES ('revocations by the API key root',
                                             (now() AT TIME ZONE 'UTC')::date, %s)""",
        (revoke_links.REVOCATIONS_PER_DAY,),
    )

    answer = revoke(image["id"])

    assert (answer.status, answer.code) == (429, "revocation_budget_spent")
    assert 0 < int(answer.headers["retry-after"][0]) <= 86_400
    assert permanent_links(image) == links
    assert revoke(image["id"], {"X-API-Key": make_key("images:read", "images:write")["key"]}).status == 200
    stores.execute("UPDATE daily_budgets SET day = day - 1")
    assert revoke(image["id"]).status == 200


def test_behind_cloudfront_it_is_told(stores: Stores, image: dict[str, Any], configure: Configure) -> None:
    configure(EDGE="true")

    assert revoke(image["id"]).status == 200

    assert stores.keys() == [f"invalidations/{image['id']}", image["s3_key"]]


def test_a_store_that_fails_is_told_and_the_links_end_all_the_same(
    image: dict[str, Any], configure: Configure
) -> None:
    old = permanent_links(image)["thumbnail"]
    configure(EDGE="true", MINIO_ENDPOINT_URL="http://127.0.0.1:1")

    answer = revoke(image["id"])

    assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert open_link(old).code == "link_revoked"


def test_links_for_further_variants(stores: Stores) -> None:
    image = upload(pictures.jpeg(), {}).image
    path = f"/api/images/{image['id']}"

    urls = get(path, {"variants": "w640-cover.webp,w160"}).image["urls"]

    assert set(urls) == {"original", "thumbnail", "preview", "w640-cover.webp", "w160"}
    assert f"/images/{image['id']}/w640-cover.webp?" in urls["w640-cover.webp"]
    for refused in ("w641", "original", "w640.gif"):
        answer = get(path, {"variants": refused})
        assert (answer.status, answer.code) == (400, "parameter_invalid")


def test_a_changed_image_has_further_links_too(stores: Stores) -> None:
    image = upload(pictures.jpeg(400, 300)).image
    event = make_event(
        "PATCH", f"/api/images/{image['id']}", KEY, {"variants": "w640.jpg"}, body='{"title": "new"}'
    )
    changed = send(event).image

    assert changed["title"] == "new"
    assert fetch(changed["urls"]["w640.jpg"]).headers["Content-Type"] == "image/jpeg"


def test_further_links_work_and_the_next_page_has_them(stores: Stores) -> None:
    for seed in (1, 2):
        upload(pictures.jpeg(800, 600, seed=seed))

    answer = get("/api/images", {"variants": "w640,w320-cover.webp", "limit": "1"})

    (image,) = answer.body["images"]
    assert list(image["urls"]) == ["original", "thumbnail", "preview", "w640", "w320-cover.webp"]
    assert Image.open(io.BytesIO(fetch_link(image["urls"]["w640"]))).size == (640, 480)
    assert Image.open(io.BytesIO(fetch_link(image["urls"]["w320-cover.webp"]))).size == (320, 320)
    assert "variants=w640%2Cw320-cover.webp" in answer.headers["link"][0]
    # `variants` is not a filter: a cursor works without it.
    following = get("/api/images", {"cursor": answer.body["next_cursor"]})
    assert list(following.body["images"][0]["urls"]) == ["original", "thumbnail", "preview"]


@pytest.mark.parametrize("names", ["w641", "intermediate.jpg", ",".join(["w320"] * 31)])
def test_links_that_there_cannot_be(stores: Stores, names: str) -> None:
    answer = get("/api/images", {"variants": names})
    assert answer.error == (400, "parameter_invalid")
    assert answer.body["error"]["details"]["parameter"] == "variants"
