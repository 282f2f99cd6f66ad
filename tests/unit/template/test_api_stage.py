"""The API's stage: one, with a throttle for each route and a log line that names both request ids."""

from typing import Any

from imageapi.http.app import DEFAULT_HEADERS, HSTS_SECONDS

from tests.support.templates import MAIN, expand_template, find

DEFAULT = ("/*", "*")


def stage() -> dict[str, Any]:
    (found,) = find(MAIN, "AWS::ApiGateway::Stage").values()
    return found


def limits() -> dict[tuple[str, str], tuple[Any, Any]]:
    """Rate and burst by path and method."""
    return {
        (setting["ResourcePath"], setting["HttpMethod"]): (
            setting["ThrottlingRateLimit"],
            setting["ThrottlingBurstLimit"],
        )
        for setting in stage()["MethodSettings"]
    }


def test_there_is_one_stage() -> None:
    """SAM's second one is a StageName of the deployment."""
    assert stage()["StageName"] == "v1"
    (deployment,) = find(MAIN, "AWS::ApiGateway::Deployment").values()
    assert "StageName" not in deployment


def test_views_and_health_have_limits_of_their_own() -> None:
    views = (2_000, 4_000)
    assert limits() == {
        DEFAULT: (100, 200),
        ("/~1images~1{id}~1{variant}", "GET"): views,
        ("/~1images~1{id}~1{variant}", "HEAD"): views,
        ("/~1variants~1{proxy+}", "GET"): views,
        ("/~1variants~1{proxy+}", "HEAD"): views,
        ("/~1health", "GET"): (10, 20),
        ("/~1health", "HEAD"): (10, 20),
    }


def test_limits_are_addressed_as_api_gateway_takes_them() -> None:
    """It refuses ANY, `*` as the method of one path, and slashes; and ignores a path that is no route."""
    routes = {path.replace("/", "~1") for path in expand_template(MAIN)["Api"]["Properties"]["Body"]["paths"]}
    for path, method in limits().keys() - {DEFAULT}:
        assert method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
        assert path[0] == "/"
        assert path[1:] in routes


def test_answers_of_the_gateway_itself_have_the_headers_of_the_functions() -> None:
    for name, response in find(MAIN, "AWS::ApiGateway::RestApi")["Api"]["Body"][
        "x-amazon-apigateway-gateway-responses"
    ].items():
        headers = {key.rpartition(".")[2]: value for key, value in response["responseParameters"].items()}
        for header, value in DEFAULT_HEADERS.items():
            assert headers[header] == f"'{value}'", name
        assert headers["Strict-Transport-Security"] == f"'max-age={HSTS_SECONDS}'", name
