"""POST /api/images/batch: one operation on up to 200 images."""

from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router
from imageapi.images.batch import run_batch
from imageapi.images.batch_request import parse_batch
from imageapi.model.idempotency import parse_idempotency_key, request_hash
from imageapi.model.scopes import DELETE, WRITE

router = Router()


@router.operation("batchImages")
def change_images(request: Request) -> Response:
    """200 with each image's result; 409 if the request is atomic and an image cannot be changed."""
    key = parse_idempotency_key(request.header("Idempotency-Key"))
    batch = parse_batch(request.fields)
    request.key.check_scope(DELETE if batch.deletes_for_good else WRITE)
    return json_response(200, run_batch(batch, key, request_hash(request.fields)))
