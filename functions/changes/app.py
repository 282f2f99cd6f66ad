"""GET /api/changes: the feed of all changes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.changes.feed import read_changes
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import JSON, Response
from imageapi.model.scopes import MANAGE

app = App()


@app.operation("listChanges")
def changes(request: Request) -> Response:
    """200 with ``{"changes": [Change], "next_cursor": str}``; 410 if the client must start over."""
    page = read_changes(**request.parameters, shows_keys=MANAGE in request.key.scopes)
    return Response(200, JSON, page)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
