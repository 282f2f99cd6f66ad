"""POST /api/images/{id}/restore and POST /api/images/{id}/links/revoke."""

from imageapi.http.image_response import image_response
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.http.router import Router
from imageapi.images import restore, revoke_links
from imageapi.images.serialize import LinkOptions

router = Router()


@router.operation("restoreImage")
def restore_image(request: Request, image_id: str) -> Response:
    """200 with the restored image."""
    return image_response(request, restore.restore_image(image_id))


@router.operation("revokeImageLinks")
def revoke_image_links(request: Request, image_id: str) -> Response:
    """200 with the image and new permanent links. Earlier ones return 403 ``link_revoked``."""
    return image_response(request, revoke_links.revoke_links(image_id), LinkOptions(permanent=True))
