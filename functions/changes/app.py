"""/api/changes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.http.app import App

app = App()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
