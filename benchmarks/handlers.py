"""Runs the functions in this process, with events like those of API Gateway."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TextIO

import psycopg2.extensions

from tests.support import events
from tests.support.events import API_KEY, Event, Handler, LambdaContext, Query, load_app
from tests.support.multipart import upload_body

METADATA = {"title": "Benchmark", "description": "A picture.", "category": "bench", "tags": ["one", "two"]}


@contextmanager
def load_handler(function: str, environ: dict[str, str]) -> Iterator[Handler]:
    """Load ``lambda_handler`` of functions/<function>/app.py. Its log goes to os.devnull.

    Within the block, settings, connection and clients come from ``environ``.
    """
    from imageapi.database import db

    before = dict(os.environ)
    os.environ.update(environ)
    clear_caches()
    try:
        # The first request creates the logger, which keeps its sys.stdout.
        with contextlib.redirect_stdout(open_nowhere()):
            yield load_app(function).lambda_handler
    finally:
        db.close()
        psycopg2.extensions.set_wait_callback(None)  # set by imageapi.database.db for the whole process
        clear_caches()
        os.environ.clear()
        os.environ.update(before)


@lru_cache(maxsize=1)
def open_nowhere() -> TextIO:
    """os.devnull, kept open because a logger may still write to it."""
    return open(os.devnull, "w")


def clear_caches() -> None:
    """Clear every lru_cache of imageapi: settings, logger and clients."""
    for name, module in list(sys.modules.items()):
        if name.startswith("imageapi."):
            for value in vars(module).values():
                if hasattr(value, "cache_info"):
                    value.cache_clear()


def make_context() -> LambdaContext:
    """The context that Lambda passes to a handler."""
    return LambdaContext(time_left=29_000)


def make_event(
    method: str, path: str, *, query: Query = (), headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Event:
    """The event of a request with the API key."""
    return events.make_event(method, path, {"X-API-Key": API_KEY, **(headers or {})}, query, body)


def make_upload_event(picture: bytes, filename: str, mime_type: str) -> Event:
    """POST /api/upload with a picture and metadata, as a browser's form sends them."""
    body, content_type = upload_body(picture, filename, METADATA, content_type=mime_type)
    return make_event("POST", "/api/upload", headers={"Content-Type": content_type}, body=body)
