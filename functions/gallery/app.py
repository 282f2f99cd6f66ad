"""GET / and /docs: the gallery and the API's pages; GET /openapi.json and /assets/{file}: what these have."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app
from imageapi.config import get_settings
from imageapi.errors import NotFoundError
from imageapi.routing import Response
from imageapi.signing import public_origin

FOLDER = Path(__file__).parent
FILES = {"/": "index.html", "/docs": "docs.html", "/openapi.json": "openapi.json"}
TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "json": "application/json"}
TYPES |= {"svg": "image/svg+xml", "txt": "text/plain"}
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {store} {api}; "
    "connect-src 'self' {store}; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
app = create_app(public={*FILES, "/assets/<file>"})


@app.get("/")
@app.get("/docs")
@app.get("/openapi.json")
def page() -> Response:
    """A page. Its URLs are relative; <base> mends /v1 without a slash, where only direct callers can be."""
    context, stage = app.event["requestContext"], f"/{app.event['requestContext']['stage']}/"
    direct = app.header("Host") == context.get("domainName") and not app.header("X-Amz-Cf-Id")
    base = stage if direct and f"{context['path']}/".startswith(stage) else "./"
    return present(FILES[app.event["resource"]], base)


@app.get("/assets/<file>")
def present(file: str, base: str = "./") -> Response:
    """A file; 304 when the browser has it, which it asks each time, so that all that it has fits together."""
    if file not in load_files():
        raise NotFoundError("There is no such file.")
    text = load_files()[file].replace("<!-- base -->", f'<base href="{base}">')
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'}
    api = get_settings().public_base_url or ""
    headers["Content-Security-Policy"] = POLICY.format(store=public_origin(), api=api)
    if headers["ETag"] in (app.header("If-None-Match") or ""):
        return Response(304, headers=headers)
    return Response(200, f"{TYPES[file.rpartition('.')[2]]}; charset=utf-8", text, headers=headers)


@lru_cache(maxsize=1)
def load_files() -> dict[str, str]:
    """Every file by its name, read once."""
    paths = [FOLDER / "openapi.json", *(FOLDER / "assets").iterdir()]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
