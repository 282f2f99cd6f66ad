"""GET / and /docs: the gallery and the API's pages; GET /openapi.json and /assets/{file}: what these have."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app
from imageapi.routing import Response
from imageapi.static_files import file_response, find_file, load_file

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
app = create_app(public={"/", "/docs", "/openapi.json", "/assets/<file>"})


@app.get("/")
def get_gallery() -> Response:
    """The gallery."""
    return page_response("index.html")


@app.get("/docs")
def get_docs() -> Response:
    """Swagger UI on the description of the API."""
    return page_response("docs.html")


@app.get("/openapi.json")
def get_description() -> Response:
    """The description of the API."""
    return file_response(load_file(FOLDER / "openapi.json"), app.header("If-None-Match"))


@app.get("/assets/<file>")
def get_asset(file: str) -> Response:
    """A file that a page loads."""
    return file_response(load_file(find_file(ASSETS, file)), app.header("If-None-Match"))


def page_response(name: str) -> Response:
    """A page. Its URLs are relative, which fails at /v1 without a slash: there <base> names the stage."""
    base = f"{app.stage_path}/" if app.stage_path and app.is_direct else "./"
    return file_response(load_file(ASSETS / name, base), app.header("If-None-Match"))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
