"""GET /images/{id}/{variant} redirects a link to the object store; /variants/… sends CloudFront the bytes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.decoder import client as decoder
from imageapi.delivery.deliver import deliver_content, deliver_image
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response

app = App()
decoder.start("render")


@app.operation("deliverImage")
def deliver(request: Request, image_id: str, variant: str) -> Response:
    """302 to a presigned URL. The signature in the query authorizes the request, so it needs no key."""
    accept = request.header("Accept")
    return redirect(deliver_image(image_id, variant, request.parameters, accept, request.method))


@app.page("/variants/{image_id}/{name}")
@app.page("/variants/{image_id}/{version}/{name}")
def fill_cache(request: Request, image_id: str, name: str, version: str | None = None) -> Response:
    """200 with a variant's bytes. CloudFront derives this path from a link, and caches it."""
    content = deliver_content(image_id, name, request.query, version)
    if isinstance(content, str):
        return redirect(content)
    headers = {"Cache-Control": content.cache_control, "Content-Disposition": content.disposition}
    return Response(200, content.mime_type, content.data, {**headers, "ETag": content.etag})


def redirect(url: str) -> Response:
    """302 to the store, uncached."""
    return Response(302, headers={"Location": url, "Cache-Control": "no-store", "Vary": "Accept"})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
