"""The service against its OpenAPI description: every response must be a documented one.

The tests generate valid and invalid requests from it. Random values match no image and upload none, so some
requests get a real id, link or picture.
"""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.client import Api
from tests.support.openapi import operations, read_document
from tests.support.pictures import jpeg

SCHEMA = schemathesis.openapi.from_dict(read_document())
REQUESTS = [
    pytest.param(path, method.upper(), mode, id=f"{method} {path} {mode.value}")
    for method, path, operation in operations()
    for mode in GenerationMode
    if mode.is_positive or "parameters" in operation  # otherwise, no request is invalid
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("EXAMPLES", "20"))
"""The number of examples for each operation and mode."""


@pytest.fixture(scope="module")
def made(api: Api) -> Iterator[list[str]]:
    """The URLs of created images and keys, which are deleted at the end."""
    urls: list[str] = []
    yield urls
    for url in urls:
        api.request("DELETE", url[url.index("/api/") :])


@pytest.fixture(scope="module")
def image(api: Api, made: list[str]) -> dict[str, Any]:
    metadata = {"title": "Described", "category": "e2e", "tags": ["described"]}
    found = api.upload(jpeg(seed="described"), metadata).image
    made.append(f"/api/images/{found['id']}")
    return found


@pytest.mark.parametrize(("path", "method", "mode"), REQUESTS)
def test_answers_are_described(
    path: str, method: str, mode: GenerationMode, api: Api, image: dict[str, Any], made: list[str]
) -> None:
    operation = SCHEMA[path][method]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):
            make_real(case, image)
        # A generated Host header would name another server. The gateway responds to it with 421.
        headers = {"X-API-Key": api.key, "Host": urlsplit(api.base_url).netloc}
        answer = case.call(base_url=api.base_url, headers=headers, allow_redirects=False)
        if answer.status_code == 201:
            made.extend(answer.headers["location"])
        # 501 is not a server failure: the feature is not enabled.
        case.validate_response(answer, checks=CHECKS if answer.status_code != 501 else CHECKS[1:])

    check()


def make_real(case: Any, image: dict[str, Any]) -> None:
    """Make the request refer to a real image. DELETE gets no real id, so the image stays."""
    if case.method != "DELETE" and "image_id" in case.path_parameters:
        case.path_parameters["image_id"] = image["id"]
    if case.path.startswith("/images/"):
        link = urlsplit(image["urls"]["preview"])
        case.path_parameters["variant"] = link.path.rpartition("/")[2]
        case.query.update(parse_qsl(link.query))
    if isinstance(case.body, dict) and "image_file" in case.body:
        case.body["image_file"] = jpeg(seed=str(case.body.get("metadata")))
