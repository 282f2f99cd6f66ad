"""The API's stage: limits for routes that exist, and the gateway's own responses."""

import json
import re

from imageapi.config.settings import MAX_DIRECT_FILE_BYTES
from imageapi.http.app import DEFAULT_HEADERS, HSTS_SECONDS

from tests.support.openapi import statuses_of_codes
from tests.support.templates import MAIN, find

API = find(MAIN, "AWS::ApiGateway::RestApi")["Api"]["Body"]
ANSWERS = API["x-amazon-apigateway-gateway-responses"]


def test_limits_are_addressed_as_api_gateway_takes_them() -> None:
    """It refuses ANY, `*` as the method of one path, and slashes; and ignores a path that is not a route."""
    (stage,) = find(MAIN, "AWS::ApiGateway::Stage").values()
    routes = {f"/{path.replace('/', '~1')}" for path in API["paths"]}
    limits = {(limit["ResourcePath"], limit["HttpMethod"]) for limit in stage["MethodSettings"]}
    assert ("/*", "*") in limits
    for path, method in limits - {("/*", "*")}:
        assert method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
        assert path in routes


def test_answers_of_the_gateway_itself_have_the_headers_of_the_functions() -> None:
    expected = DEFAULT_HEADERS | {"Strict-Transport-Security": f"max-age={HSTS_SECONDS}"}
    for name, response in ANSWERS.items():
        headers = {key.rpartition(".")[2]: value for key, value in response["responseParameters"].items()}
        assert headers.items() >= {header: f"'{value}'" for header, value in expected.items()}.items(), name


def test_answers_of_the_gateway_itself_are_described_and_tell_the_limit_of_the_service() -> None:
    codes = re.findall(r'{"error":{"code":"(.*?)"', MAIN.read_text(encoding="utf-8"))
    assert len(codes) == 6
    assert set(codes) <= statuses_of_codes().keys()
    templates = ANSWERS["REQUEST_TOO_LARGE"]["responseTemplates"]
    details = json.loads(templates["application/json"])["error"]["details"]
    assert details == {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}
