"""/api/images/{image_id}/analysis: Gemini's description of an image. It also processes the analysis queue."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.analysis.analyze import analyze_image, analyze_queued, get_analysis
from imageapi.analysis.enqueue import resend_overdue
from imageapi.decoder import client as decoder
from imageapi.events.messages import parse_messages, unfinished
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response

app = App()
decoder.start("render")


@app.operation("getAnalysis")
def get(request: Request, image_id: str) -> Response:
    """200 with the analysis in any status; 404 if none was requested."""
    return json_response(200, {"data": get_analysis(image_id)})


@app.operation("analyzeImage")
def analyze(request: Request, image_id: str) -> Response:
    """200 with the existing or a new analysis; ``?again=true`` always creates a new one."""
    analysis = analyze_image(image_id, again=request.parameters["again"])
    return json_response(200, {"data": analysis}, {"Location": f"{request.base_url}{request.path}"})


def work(event: dict[str, Any]) -> dict[str, Any]:
    """Analyze the images in an SQS event. The schedule's event resends overdue messages."""
    messages = parse_messages(event)
    if messages is None:
        return resend_overdue()
    outcomes, left = analyze_queued(message.image_id for message in messages)
    return {"outcomes": outcomes, **unfinished(messages, left)}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    return run_event("analysis", work, event, context, wakes=True)
