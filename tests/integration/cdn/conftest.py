"""A distribution in front of the stores and the functions."""

from collections.abc import Iterator

import pytest

from tests.integration.client import Json
from tests.integration.stores import Configure, Stores
from tests.support import multipart, pictures
from tests.support.edge import Edge
from tests.support.edge_function import EdgeFunction, render_code
from tests.support.events import API_KEY

SIGNING_KEY = "signing-key-of-the-tests-0123456789abcdef"
ORIGIN_SECRET = "secret-of-the-origin"
KEY = {"X-API-Key": API_KEY}
WEBP = {"Accept": "image/webp,*/*"}


@pytest.fixture(scope="session")
def function() -> Iterator[EdgeFunction]:
    with EdgeFunction(render_code([SIGNING_KEY])) as function:
        yield function


@pytest.fixture
def edge(stores: Stores, configure: Configure, function: EdgeFunction) -> Edge:
    configure(SECRET_KEY=SIGNING_KEY, ORIGIN_VERIFY=ORIGIN_SECRET, EDGE="true")
    return Edge(function, stores.s3, ORIGIN_SECRET)


def upload(edge: Edge, data: bytes = b"", filename: str = "港の写真.jpg") -> Json:
    body, content_type = multipart.upload_body(data or pictures.jpeg(800, 600), filename, {"title": "x"})
    answer = edge.fetch("POST", "/api/upload", KEY | {"Content-Type": content_type}, body)
    assert answer.status == 201
    edge.asked.clear()
    return answer.image


@pytest.fixture
def image(edge: Edge) -> Json:
    return upload(edge)


def get_permanent(edge: Edge, image: Json) -> str:
    """The permanent link of a thumbnail."""
    urls = edge.fetch("GET", f"/api/images/{image['id']}?links=permanent", KEY).image["urls"]
    edge.asked.clear()
    return str(urls["thumbnail"])
