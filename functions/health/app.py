"""GET /health, /api/database/status and /api/service."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.health import check_database, check_health
from imageapi.http.app import App
from imageapi.http.operations import read_document
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.service import describe_service

app = App()


@app.operation("getHealth")
def health(request: Request) -> Response:
    """200 if both stores respond; 503 with the same shape if one does not, or during maintenance."""
    healthy, report = check_health()
    return json_response(200 if healthy else 503, report)


@app.operation("getDatabaseStatus")
def database_status(request: Request) -> Response:
    """200 with the server's version and the number of images; 503 if it does not respond."""
    return json_response(200, check_database())


@app.operation("getService")
def service(request: Request) -> Response:
    """200 with the limits, the features and the version, which is that of openapi.json."""
    return json_response(200, {"data": describe_service(read_document()["info"]["version"])})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
