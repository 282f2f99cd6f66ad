"""POST /api/images/{id}/analysis: what Gemini sees in an image; also for the queue of images that wait."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.analysis import analyze_event, analyze_image
from imageapi.api import create_app, json_response
from imageapi.logs import log_outcome
from imageapi.routing import Response

app = create_app()


@app.post("/api/images/<image_id>/analysis")
def analyze(image_id: str) -> Response:
    """200 with the analysis, made now unless it is there; ``?again=true`` makes a new one."""
    again = app.query.get("again") == "true"
    return json_response(200, {"data": analyze_image(image_id, again=again)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    return log_outcome("analysis", analyze_event, event, context)
