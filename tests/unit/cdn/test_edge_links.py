"""CloudFront's function treats a link as DeliverFunction does, or leaves it to DeliverFunction."""

import itertools
import json
import string
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.delivery import links
from imageapi.delivery.links import Validity
from imageapi.errors import ForbiddenError
from imageapi.model import variant_formats
from imageapi.model.variant_names import WIDTHS

from tests.support.edge_function import HOST, REQUEST_ID, EdgeFunction, Outcome, make_request, render_code

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
OTHER_ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0f"
KEYS = ["new-key-of-the-tests-0123456789abcdef", "old-key-of-the-tests-0123456789abcdef"]
UNKNOWN_KEY = "unknown-key-of-the-tests-0123456789"
NOW, LIFETIME = 1_800_000_000, 3600
EXPIRES = NOW + LIFETIME
PARTS = itertools.product(WIDTHS, ("", "-cover"), ("", ".webp", ".avif", ".jpg"))
NAMES = [f"w{width}{cover}{extension}" for width, cover, extension in PARTS]
TERMS = [Validity(expires=EXPIRES), Validity(version=0), Validity(version=12)]
ACCEPTS = ["*/*", "image/avif,image/webp,*/*", "image/webp", "image/avif;q=0, image/webp;q=0.1", "text/html"]


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeFunction]:
    with EdgeFunction(render_code(KEYS, lifetime=LIFETIME)) as function:
        yield function


def sign(variant: str = "w320", term: Validity = TERMS[0], key: str = KEYS[0], image_id: str = ID) -> str:
    return links.sign_link(image_id, variant, term, keys=[key])


def view(edge: EdgeFunction, link: str, accept: str | None = "image/webp") -> Outcome:
    return edge.on_request(link, [("Accept", accept)] if accept is not None else (), now=NOW)


def find_code(link: str) -> str | None:
    """DeliverFunction's code for a link; None if it is valid."""
    parts = urlsplit(link)
    _, _, image_id, variant = parts.path.split("/")
    query = dict(parse_qsl(parts.query))
    try:
        links.verify_link(image_id, [variant], query, now=NOW, lifetime=LIFETIME, keys=KEYS)
    except ForbiddenError as error:
        return error.code
    return None


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("name", NAMES)
def test_valid_links_become_object_paths(edge: EdgeFunction, name: str, term: Validity, key: str) -> None:
    stem, _, extension = name.partition(".")
    for accept in ACCEPTS:
        outcome = view(edge, sign(name, term, key), accept)

        format = extension or variant_formats.choose_format(accept)
        version = "" if term.version is None else f"{term.version}/"
        assert outcome.error is None
        assert outcome.uri == f"/variants/{ID}/{version}{stem}.{format}"
        assert outcome.headers["accept"] == variant_formats.MIME_TYPES[format]


def test_the_query_and_everything_else_stay(edge: EdgeFunction) -> None:
    sent = [("Range", "bytes=0-9"), ("Accept", "image/webp")]
    request = make_request(sign(), sent)

    outcome = edge.on_request(sign(), sent, now=NOW)

    headers = {**request["headers"], "x-forwarded-host": {"value": HOST}}
    assert {**outcome.value, "uri": request["uri"]} == {**request, "headers": headers}


QUALITY = st.sampled_from(["", ";q=0", "; q=0.0", ";q=0.000", ";q=1", ";q=0.5", ";v=b3;q=0", ";Q=0", ";q=00"])
NO_TYPES = ["image/*", "*/*", "IMAGE/AVIF", "image/webpx", ""]
TYPES = st.sampled_from([*variant_formats.MIME_TYPES.values(), *NO_TYPES])
MEDIA = st.builds(lambda *parts: "".join(parts), st.sampled_from(["", " ", "\t"]), TYPES, QUALITY)
ACCEPT = st.lists(MEDIA, max_size=6).map(",".join) | st.text(string.printable[:95], max_size=60)


@given(accept=ACCEPT, is_animated=st.booleans())
def test_the_format_is_the_one_of_the_service(edge: EdgeFunction, accept: str, is_animated: bool) -> None:
    allowed = variant_formats.MOVING if is_animated else tuple(variant_formats.MIME_TYPES)
    link = sign() + ("&m=1" if is_animated else "")

    format = variant_formats.choose_format(accept, allowed)
    assert view(edge, link, accept).uri == f"/variants/{ID}/w320.{format}"
    assert view(edge, link, None).uri == f"/variants/{ID}/w320.jpg"


REFUSED = {
    "another id": sign().replace(ID, OTHER_ID),
    "another variant": sign().replace("w320", "w640"),
    "a format": sign().replace("w320", "w320.jpg"),
    "without its format": sign("w320.jpg").replace(".jpg", ""),
    "another expiry": sign().replace(f"e={EXPIRES}", f"e={EXPIRES - 1}"),
    "another signature": sign()[:-1] + "_",
    "the other key's id": sign().replace(links.key_id(KEYS[0]), links.key_id(KEYS[1])),
    "another version": sign(term=Validity(version=3)).replace("v=3", "v=4"),
    "a version as expiry": sign(term=Validity(version=3)).replace("v=3", "e=3"),
    "an expiry as version": sign(term=Validity(expires=5)).replace("e=5", "v=5"),
    "both": sign() + "&v=0",
    "expired now": sign(term=Validity(expires=NOW)),
    "expired long ago": sign(term=Validity(expires=1)),
    "too far": sign(term=Validity(expires=NOW + 5461)),
    "much too far": sign(term=Validity(expires=10**12 - 1)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_edge_refuses_the_service_refuses_with_the_same_code(edge: EdgeFunction, case: str) -> None:
    code = "link_expired" if case.startswith("expired") else "link_invalid"

    outcome = view(edge, REFUSED[case])

    assert outcome.error == (403, code)
    assert find_code(REFUSED[case]) == code
    assert outcome.headers["content-type"] == "application/json"
    assert outcome.headers["cache-control"] == "no-store"
    assert outcome.headers["x-request-id"] == REQUEST_ID
    assert json.loads(outcome.value["body"]["data"])["error"]["message"].endswith(".")


def test_the_bounds_of_the_expiry(edge: EdgeFunction) -> None:
    for expires in (NOW + 1, NOW + 5460):
        link = sign(term=Validity(expires=expires))
        assert (view(edge, link).error, find_code(link)) == (None, None)


LEFT = {
    "the key is unknown": sign(key=UNKNOWN_KEY),
    "a link of an earlier release": sign().replace(f"&k={links.key_id(KEYS[0])}", ""),
    "no signature": sign().rpartition("&s=")[0],
    "a short signature": sign()[:-1],
    "a long signature": sign() + "A",
    "no term": sign().replace(f"e={EXPIRES}&", ""),
    "an empty version": sign() + "&v=",
    "the original": sign("original"),
    "a download": sign() + "&download=1",
    "a parameter that no link has": sign() + "&x=1",
    "a parameter of every object": sign() + "&constructor=1",
    "a parameter of S3": sign() + "&response-content-type=text/html",
    "a repeated expiry": f"{sign()}&e={EXPIRES}",
    "a repeated hint": sign() + "&m=1&m=1",
    "another hint": sign() + "&m=2",
    "an escaped signature": sign()[:-1] + "%41",
    "an escaped name": sign().replace("&s=", "&%73="),
    "leading zeros": sign().replace("e=", "e=0"),
    "an unknown width": sign("w321"),
    "an unknown format": sign("w320.gif"),
    "a stored intermediate": sign("intermediate.jpg"),
    "an id in upper case": sign(image_id=ID.upper()),
    "an escaped id": sign().replace(ID, ID.replace("-", "%2d")),
    "an escaped slash": sign().replace("/w320", "%2fw320"),
    "an escape of an escape": sign().replace("/w320", "%252fw320"),
    "a slash more": sign().replace("/w320", "//w320"),
    "a slash at the end": sign().replace("w320?", "w320/?"),
    "a folder above": sign().replace("/w320", "/../w320"),
    "another folder": sign().replace("/images/", "/images/../images/"),
    "an empty id": sign(image_id=""),
    "a line break": sign().replace("w320?", "w320%0a?"),
    "8 KB": sign() + "&x=" + "y" * 8000,
    "8 KB of parameters": sign() + "".join(f"&{number}" for number in range(1600)),
    "8 KB of a signature": sign() + "A" * 8000,
    "no query": f"/images/{ID}/w320",
}


@pytest.mark.parametrize("case", LEFT)
def test_everything_else_is_left_to_the_service(edge: EdgeFunction, case: str) -> None:
    request = make_request(LEFT[case], [("accept", "image/webp")])

    outcome = view(edge, LEFT[case])

    del outcome.value["headers"]["x-forwarded-host"]
    assert outcome.value == request


def test_other_methods_and_repeated_or_long_headers_are_left_to_the_service(edge: EdgeFunction) -> None:
    assert edge.on_request(sign(), method="HEAD", now=NOW).uri == f"/variants/{ID}/w320.jpg"
    for method in ("OPTIONS", "POST", "DELETE", "get"):
        assert edge.on_request(sign(), method=method, now=NOW).uri == f"/images/{ID}/w320"
    repeated = [("Accept", "image/avif"), ("Accept", "text/html")]
    for headers in (repeated, [("Accept", "image/avif," + "x" * 1000)]):
        assert edge.on_request(sign(), headers, now=NOW).uri == f"/images/{ID}/w320"


def test_every_request_has_the_viewers_host(edge: EdgeFunction) -> None:
    for path in ("/", "/api/images", "/api/images/x?e=1&k=2&s=3", "/imagesx", "/variants/a/b"):
        outcome = edge.on_request(path, [("X-Forwarded-Host", "evil.example.com")])
        assert (outcome.uri, outcome.headers["x-forwarded-host"]) == (path.partition("?")[0], HOST)


ALTERED = st.sampled_from(string.ascii_letters + string.digits + "-_&=%./?")


@st.composite
def altered_links(draw: st.DrawFn) -> str:
    """A valid link with a few characters replaced, removed or added."""
    name, term, key = draw(st.sampled_from(NAMES)), draw(st.sampled_from(TERMS)), draw(st.sampled_from(KEYS))
    link = sign(name, term, key)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(len("/images/"), len(link) - 1))
        link = link[:place] + draw(ALTERED | st.just("")) + link[place + draw(st.integers(0, 1)) :]
    return link


@given(link=altered_links())
def test_edge_and_service_never_disagree(edge: EdgeFunction, link: str) -> None:
    outcome = view(edge, link)

    if outcome.error:
        assert find_code(link) == outcome.error[1]
    elif outcome.uri.startswith("/variants/"):
        assert find_code(link) is None


def test_the_number_of_hmacs_is_bounded(edge: EdgeFunction) -> None:
    """One for each key's id, and one for the key that the link names."""
    assert view(edge, sign()).hmacs == len(KEYS) + 1
    assert view(edge, sign(key=UNKNOWN_KEY)).hmacs == len(KEYS)
    for case in ("8 KB", "8 KB of parameters", "8 KB of a signature", "no query"):
        assert view(edge, LEFT[case]).hmacs == 0
    with EdgeFunction(render_code([KEYS[0]] * 3, lifetime=LIFETIME)) as function:
        assert view(function, sign()[:-1] + "_").hmacs == 6


def test_a_link_is_valid_as_long_as_one_of_the_keys_with_its_id_signed_it() -> None:
    with EdgeFunction(render_code([*KEYS, KEYS[0]], lifetime=LIFETIME)) as function:
        assert view(function, sign(key=KEYS[1])).error is None
