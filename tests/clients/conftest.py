"""Clients that are generated from openapi.json, against the running service and a later one."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.e2e.client import Api
from tests.e2e.conftest import api  # noqa: F401
from tests.support.http_server import Handler, serve


@pytest.fixture(scope="session")
def later_service(api: Api) -> Iterator[str]:  # noqa: F811
    """The base URL of a later version: an image has a new key, the feed a new type of change, and a request
    to delete fails with a new code. All other routes are missing.
    """

    class Later(Handler):
        def respond(self) -> None:
            path, _, query = self.path.partition("?")
            answer: Any = api.request("GET", path, query=parse_qsl(query)).body
            if self.path.startswith("/api/images/"):
                answer["data"]["focal_point"] = {"x": 0.5, "y": 0.5}
            else:
                answer["changes"][0]["type"] = "image.painted"
            self.answer(200, json.dumps(answer).encode(), content_type="application/json")

        def do_DELETE(self) -> None:  # noqa: N802
            error = {"code": "image_on_loan", "message": "The image is on loan.", "request_id": "1"}
            self.answer(412, json.dumps({"error": error}).encode(), content_type="application/json")

    with serve(Later) as url:
        yield url
