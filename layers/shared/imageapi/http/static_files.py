"""Responses with files: their media types, ETags and security headers. Each file is read once."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from imageapi.config.settings import get_settings
from imageapi.errors import NotFoundError
from imageapi.http.etag import unless_known
from imageapi.http.response import Response
from imageapi.storage.signing import public_origin

# The module mimetypes depends on the machine and the Python version.
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# Images come from the object store or the API's public address, which can be other hosts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {store} {api}; "
    "connect-src 'self' {store}; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)


class StaticFile(NamedTuple):
    """A text file and its headers."""

    text: str
    content_type: str
    etag: str


@lru_cache(maxsize=128)
def load_file(path: Path, base: str = "./") -> StaticFile:
    """A file. Only the first call reads and hashes it.

    Args:
        base: replaces ``"./"``, the base of a page's relative URLs and the server of openapi.json.
    """
    text = path.read_text(encoding="utf-8").replace('"./"', f'"{base}"')
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    return StaticFile(text, f"{MEDIA_TYPES[path.suffix]}; charset=utf-8", etag)


def find_file(folder: Path, name: str) -> Path:
    """The file of this name directly in a folder. Any name that a client sends is safe.

    Raises:
        NotFoundError: the file does not exist.
    """
    if name not in _list_names(folder):
        raise NotFoundError("This file does not exist.")
    return folder / name


def file_response(file: StaticFile, if_none_match: str | None) -> Response:
    """200 with the file; 304 if the If-None-Match header names its ETag."""
    policy = POLICY.format(store=public_origin(), api=get_settings().public_base_url or "")
    # Browsers revalidate each file, so all are from the same deploy.
    headers = {"Cache-Control": "no-cache", "ETag": file.etag, "Content-Security-Policy": policy}
    return unless_known(Response(200, file.content_type, file.text, headers=headers), if_none_match)


@lru_cache(maxsize=8)
def _list_names(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir() if path.is_file())
