"""GET / (the gallery) and /docs (Swagger UI); GET /openapi.json and /assets/{file}, which they load."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.http.app import App
from imageapi.http.operations import DOCUMENT
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.http.static_files import file_response, find_file, load_file

ASSETS = Path(__file__).parent / "assets"
app = App()


@app.page("/", in_maintenance=True)
def get_gallery(request: Request) -> Response:
    return page_response(request, "index.html")


@app.page("/docs", in_maintenance=True)
def get_docs(request: Request) -> Response:
    """Swagger UI for the API description."""
    return page_response(request, "docs.html")


@app.page("/openapi.json", in_maintenance=True)
def get_description(request: Request) -> Response:
    """The API description (OpenAPI). Its server is the address of this request."""
    return file_response(load_file(DOCUMENT, request.base_url), request.header("If-None-Match"))


@app.page("/assets/{file}", in_maintenance=True)
def get_asset(request: Request, file: str) -> Response:
    """A file that a page loads."""
    return file_response(load_file(find_file(ASSETS, file)), request.header("If-None-Match"))


def page_response(request: Request, name: str) -> Response:
    """A page. At /v1 without a slash its relative URLs would break, so <base> names the prefix."""
    base = f"{request.prefix}/" if request.prefix and request.is_direct else "./"
    return file_response(load_file(ASSETS / name, base), request.header("If-None-Match"))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
