"""/variants/…: the bytes of variants that CloudFront has not found in the bucket."""

import base64
import io
from urllib.parse import parse_qsl, urlsplit

import pytest
from imageapi.delivery import deliver
from imageapi.storage import s3
from PIL import Image

from tests.integration.client import Json, get
from tests.integration.lifecycle import delete_for_good, sign
from tests.integration.stores import Stores
from tests.support.answers import Answer, parse
from tests.support.events import Event, handle, make_event


def content_event(link: str, name: str, version: str = "", method: str = "GET", **query: str) -> Event:
    """The event that DeliverFunction gets for a link that CloudFront's function has rewritten."""
    parts = urlsplit(link)
    image_id = parts.path.split("/")[-2]
    path = "/".join(filter(None, ("/variants", image_id, version, name)))
    return make_event(method, path, query=dict(parse_qsl(parts.query)) | query)


def open_content(link: str, name: str = "w320.webp", version: str = "", **query: str) -> Answer:
    return parse(handle(content_event(link, name, version, **query)))


def permanent_link(image: Json, variant: str = "w320") -> str:
    query = {"links": "permanent", "variants": variant}
    return str(get(f"/api/images/{image['id']}", query).image["variants"][0]["url"])


@pytest.mark.parametrize("format", ["webp", "avif", "jpeg"])
@pytest.mark.parametrize("is_permanent", [True, False])
@pytest.mark.parametrize("has_format", [True, False])
def test_a_variant(stores: Stores, image: Json, format: str, is_permanent: bool, has_format: bool) -> None:
    name = f"w320.{format.replace('jpeg', 'jpg')}"
    signed = name if has_format else "w320"
    link = permanent_link(image, signed) if is_permanent else sign(image["id"], signed)

    answer = handle(content_event(link, name, "0" if is_permanent else ""))

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert Image.open(io.BytesIO(base64.b64decode(answer["body"]))).format == format.upper()
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    assert headers["Content-Type"] == f"image/{format}"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("inline; ")
    assert stores.keys() == sorted([image["s3_key"], f"variants/{image['id']}/{name}"])


def test_head_has_no_body(image: Json) -> None:
    event = content_event(sign(image["id"], "w320"), "w320.webp", method="HEAD")
    answer = parse(handle(event), head=True)
    assert (answer.status, answer.body) == (200, None)


def test_a_repeated_parameter_is_refused(image: Json) -> None:
    event = content_event(sign(image["id"], "w320"), "w320.webp")
    event["multiValueQueryStringParameters"]["s"] *= 2
    assert parse(handle(event)).error == (400, "parameter_repeated")


REFUSED: dict[str, dict[str, str]] = {
    "another name": {"name": "w640.webp"},
    "the original": {"name": "original"},
    "a name below": {"name": "w320.webp.jpg"},
    "a version that an expiring link has not": {"version": "0"},
    "another expiry": {"e": "1"},
    "no signature": {"s": ""},
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_signed_is_refused(stores: Stores, image: Json, case: str) -> None:
    assert open_content(sign(image["id"], "w320"), **REFUSED[case]).error == (403, "link_invalid")
    assert stores.keys() == [image["s3_key"]], "nothing is rendered"


@pytest.mark.parametrize("version", ["", "1", "00", "x"])
def test_the_version_in_the_path_is_the_signed_one(image: Json, version: str) -> None:
    assert open_content(permanent_link(image), version=version).error == (403, "link_invalid")


@pytest.mark.parametrize("name", ["w320", "original", "w321.webp"])
def test_a_signed_name_that_is_no_variant_with_a_format(image: Json, name: str) -> None:
    assert open_content(sign(image["id"], name), name).error == (404, "variant_not_found")


def test_what_is_revoked_lost_or_deleted(stores: Stores, image: Json) -> None:
    permanent, link = permanent_link(image), sign(image["id"], "w320")
    stores.execute("UPDATE image_metadata SET link_version = 1")
    revoked = open_content(permanent, version="0")
    assert open_content(link).status == 200
    s3.delete_objects([f"variants/{image['id']}/w320.webp"])
    lost = open_content(link)
    delete_for_good(image["id"])
    deleted = open_content(link)

    assert revoked.error == (403, "link_revoked")
    assert (lost.error, deleted.error) == ((404, "object_missing"), (404, "image_not_found"))
    for answer in (revoked, lost, deleted):
        assert answer.headers["cache-control"] == ["no-store"]


def test_what_is_too_large_for_a_response_is_a_redirect(image: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "MAX_DIRECT_FILE_BYTES", 100)

    answer = open_content(sign(image["id"], "w320"))

    assert answer.status == 302
    assert answer.headers["cache-control"] == ["no-store"]
    assert f"variants/{image['id']}/w320.webp?" in answer.headers["location"][0]
