"""GET /images/{id}/{variant}: a signed link becomes a redirect to the object store."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.delivery.deliver import deliver_image
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response

app = App(public={"/images/<image_id>/<variant>"})


@app.get("/images/<image_id>/<variant>")
def deliver(request: Request, image_id: str, variant: str) -> Response:
    """302 to a presigned URL. The signature in the query authorizes it, so no key is needed."""
    delivery = deliver_image(image_id, variant, request.query, request.header("Accept"), request.method)
    return Response(
        302,
        headers={
            "Location": delivery.url,
            "Cache-Control": delivery.cache_control,
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
