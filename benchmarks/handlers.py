"""The functions in this process, and the events that API Gateway would hand to them."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TextIO

import psycopg2.extensions

from tests.support import events
from tests.support.events import API_KEY, Event, Handler, LambdaContext, Query, load_app
from tests.support.multipart import upload_body


@contextmanager
def load_handler(function: str, environ: dict[str, str]) -> Iterator[Handler]:
    """``lambda_handler`` of functions/<function>/app.py. Its log is written, but nowhere.

    The settings, the connection and the clients are those of ``environ`` while this lasts.
    """
    from imageapi.database import db

    before = dict(os.environ)
    os.environ.update(environ)
    clear_caches()
    try:
        # The logger takes sys.stdout when the first request makes it, and keeps it.
        with contextlib.redirect_stdout(open_nowhere()):
            yield load_app(function).lambda_handler
    finally:
        db.close()
        psycopg2.extensions.set_wait_callback(None)  # imageapi.database.db's, which is for the whole process
        clear_caches()
        os.environ.clear()
        os.environ.update(before)


@lru_cache(maxsize=1)
def open_nowhere() -> TextIO:
    """A stream that stays open as long as a logger may write to it."""
    return open(os.devnull, "w")


def clear_caches() -> None:
    """Forget the settings, the logger and the clients: everything that imageapi keeps in an lru_cache."""
    for name, module in list(sys.modules.items()):
        if name.startswith("imageapi."):
            for value in vars(module).values():
                if hasattr(value, "cache_info"):
                    value.cache_clear()


def make_context() -> LambdaContext:
    """What Lambda tells a handler."""
    return LambdaContext(time_left=29_000)


def make_event(
    method: str,
    path: str,
    *,
    query: Query = (),
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Event:
    """The event of a request with the API key."""
    return events.make_event(method, path, {"X-API-Key": API_KEY, **(headers or {})}, query, body)


def make_upload_event(picture: bytes, filename: str, mime_type: str) -> Event:
    """POST /api/upload with a picture and metadata, as a browser's form sends them."""
    metadata: dict[str, Any] = {
        "title": "Benchmark",
        "description": "A picture.",
        "category": "bench",
        "tags": ["one", "two"],
    }
    body, content_type = upload_body(picture, filename, metadata, content_type=mime_type)
    return make_event("POST", "/api/upload", headers={"Content-Type": content_type}, body=body)
