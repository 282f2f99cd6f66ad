"""GET /api/changes: the feed of all changes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.changes.feed import read_changes
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import JSON, Response
from imageapi.model.scopes import MANAGE

app = App()


@app.get("/api/changes")
def changes(request: Request) -> Response:
    """200 with ``{"changes": [Change], "cursor": str}``; 410 when the client has to read everything again."""
    query = request.check_query("since", "limit", "wait")
    return Response(200, JSON, read_changes(query, shows_keys=MANAGE in request.key.scopes))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
