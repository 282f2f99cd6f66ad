"""The scopes that each route requires: the only table. openapi.json repeats it, and a test compares them."""

from collections.abc import Sequence

from imageapi.model.scopes import DELETE, MANAGE, READ, WRITE

PUBLIC: tuple[str, ...] = ()
"""No key at all: pages, health, and links, whose signature authorizes."""
ANY_KEY = ("",)
"""A valid key with any scope."""

HEALTH = "GET /health"
IN_MAINTENANCE = ("GET /", "GET /docs", "GET /openapi.json", "GET /assets/<file>", HEALTH)
"""Routes that answer during maintenance. They write nothing, not even the last use of a key."""

ROUTE_SCOPES: dict[str, tuple[str, ...]] = {
    "GET /": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /assets/<file>": PUBLIC,
    HEALTH: PUBLIC,
    "GET /images/<image_id>/<variant>": PUBLIC,
    "GET /variants/<image_id>/<name>": PUBLIC,
    "GET /variants/<image_id>/<version>/<name>": PUBLIC,
    "GET /api/database/status": ANY_KEY,
    "GET /api/images": (READ,),
    "GET /api/categories": (READ,),
    "GET /api/tags": (READ,),
    "GET /api/images/<image_id>": (READ,),
    "GET /api/images/<image_id>/history": (READ,),
    "GET /api/changes": (READ,),
    "POST /api/upload": (WRITE,),
    "POST /api/uploads": (WRITE,),
    "POST /api/uploads/<image_id>/complete": (WRITE,),
    "PATCH /api/images/<image_id>": (WRITE,),
    "POST /api/images/<image_id>/analysis": (WRITE,),
    "POST /api/images/<image_id>/links/revoke": (WRITE,),
    "POST /api/images/<image_id>/restore": (WRITE,),
    # Moving to the trash needs images:write, deleting permanently images:delete: ``images`` checks.
    "DELETE /api/images/<image_id>": (WRITE, DELETE),
    "POST /api/images/batch": (WRITE, DELETE),
    "GET /api/keys/self": ANY_KEY,
    "GET /api/keys": (MANAGE,),
    "POST /api/keys": (MANAGE,),
    "DELETE /api/keys/<key_id>": (MANAGE,),
    "POST /api/keys/<key_id>/confirm": (MANAGE,),
    "GET /api/webhooks": (MANAGE,),
    "POST /api/webhooks": (MANAGE,),
    "GET /api/webhooks/<webhook_id>": (MANAGE,),
    "DELETE /api/webhooks/<webhook_id>": (MANAGE,),
    "POST /api/webhooks/<webhook_id>/test": (MANAGE,),
    "POST /api/webhooks/<webhook_id>/resume": (MANAGE,),
    "POST /api/webhooks/<webhook_id>/secret/rotate": (MANAGE,),
}
"""The scopes of each route, one of which a key needs."""

ANSWERS_WITHOUT_IMAGES = ("POST /api/uploads", "POST /api/images/batch")
"""Writing routes whose responses show nothing of an image."""


def shows_image(route: str, scopes: Sequence[str]) -> bool:
    """Whether the responses of a route with these scopes can show an image: all writing routes, unless
    listed above. Keys without images:read get these responses without the body.
    """
    return (WRITE in scopes or DELETE in scopes) and route not in ANSWERS_WITHOUT_IMAGES
