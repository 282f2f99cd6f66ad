"""A distribution in front of the stores and the functions."""

from collections.abc import Iterator

import pytest

from tests.integration.stores import Configure, Stores
from tests.support.edge import Edge
from tests.support.edge_function import EdgeFunction, render_code

SIGNING_KEY = "signing-key-of-the-tests-0123456789abcdef"
OLD_KEY = "older-key-of-the-tests-0123456789abcdef"
ORIGIN_SECRET = "secret-of-the-origin"


@pytest.fixture(scope="session")
def function() -> Iterator[EdgeFunction]:
    with EdgeFunction(render_code([SIGNING_KEY])) as function:
        yield function


@pytest.fixture
def edge(stores: Stores, configure: Configure, function: EdgeFunction) -> Edge:
    """With an empty cache. The functions accept a key that it does not know yet."""
    configure(SECRET_KEY=f"{SIGNING_KEY},{OLD_KEY}", ORIGIN_VERIFY=ORIGIN_SECRET, EDGE="true")
    return Edge(function, stores.s3, ORIGIN_SECRET)
