"""Links without an expiry, until they are revoked."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from imageapi.images import revoke_links

from tests.integration.client import get, send, upload
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import KEY, fetch, open_link
from tests.integration.stores import Configure, Stores, new_id
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.events import make_event

PICTURE = pictures.jpeg(800, 600)


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    return upload(PICTURE, {"title": "x"}).image


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


def test_nobody_can_guess_the_next_ones(image: dict[str, Any]) -> None:
    for version in ("1", "00", "9" * 13):
        answer = open_link(permanent_links(image)["thumbnail"], v=version)
        assert (answer.status, answer.code) == (403, "link_invalid")


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
