"""Refused requests through CloudFront. Its function responds as DeliverFunction does."""

import json
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from imageapi.delivery import links
from imageapi.delivery.links import Validity

from tests.integration.cdn.conftest import ORIGIN_SECRET, SIGNING_KEY, WEBP
from tests.integration.client import Json
from tests.integration.stores import Stores, new_id
from tests.support.edge import Edge
from tests.support.events import handle, make_event

INVALID, EXPIRED = (403, "link_invalid"), (403, "link_expired")
UNKNOWN = (404, "not_found")
NOBODY = new_id()


def sign(image_id: str, variant: str = "w320", seconds: int = 600, version: int | None = None) -> str:
    term = Validity(expires=int(time.time()) + seconds) if version is None else Validity(version=version)
    return links.sign_link(image_id, variant, term, keys=[SIGNING_KEY])


Change = Callable[[str], str]
REFUSED: dict[str, tuple[Change, tuple[int, str]]] = {
    "another signature": (lambda i: sign(i)[:-8] + "A" * 8, INVALID),
    "no signature": (lambda i: sign(i).partition("&s=")[0], INVALID),
    "both terms": (lambda i: sign(i) + "&v=0", INVALID),
    "expired": (lambda i: sign(i, seconds=-1), EXPIRED),
    "too far": (lambda i: sign(i, seconds=6000), INVALID),
    "an old version": (lambda i: sign(i, version=1), (403, "link_revoked")),
    "an image that is not there": (lambda _: sign(NOBODY), (404, "image_not_found")),
    "an unknown format": (lambda i: sign(i, "w320.gif"), (404, "variant_not_found")),
    "repeated": (lambda i: sign(i) + "&e=1", (400, "parameter_repeated")),
    "a folder above": (lambda i: sign(i).replace("/w320", "/../w320"), UNKNOWN),
    "8 KB of a signature": (lambda i: sign(i) + "A" * 7900, INVALID),
}
"""A change of an image's link, and the response that both must return."""
TOLD_BY_THE_EDGE = ("another signature", "both terms", "expired", "too far")


def test_edge_and_service_refuse_alike(edge: Edge, image: Json, stores: Stores) -> None:
    for case, (change, expected) in REFUSED.items():
        link = change(image["id"])
        parts = urlsplit(link)
        headers = {**WEBP, "X-Origin-Verify": ORIGIN_SECRET}
        event = make_event("GET", parts.path, headers, parse_qsl(parts.query, keep_blank_values=True))

        direct = handle(event)
        edge.asked.clear()
        through = edge.fetch("GET", link, WEBP)

        assert (through.status, through.code) == expected, case
        assert (direct["statusCode"], json.loads(direct["body"])["error"]["code"]) == expected, case
        assert set(through.body) == {"error"}
        assert through.headers["content-type"] == "application/json"
        assert through.headers["cache-control"] == "no-store"
        assert through.headers["x-request-id"]
        assert edge.asked == [] or case not in TOLD_BY_THE_EDGE, "it costs no function"
    assert stores.keys() == [image["s3_key"]]

    assert edge.fetch("GET", sign(image["id"]), WEBP).status == 200
    for case, (change, expected) in REFUSED.items():
        again = edge.fetch("GET", change(image["id"]), WEBP)
        assert (again.status, again.code) == expected, f"{case}: what is cached opens for valid links only"
