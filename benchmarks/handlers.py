"""The functions in this process, and the events that API Gateway would hand to them."""

import base64
import contextlib
import importlib.util
import io
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TextIO

import psycopg2.extensions

from benchmarks import ROOT
from benchmarks.servers import API_KEY

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
BOUNDARY = "benchmark-boundary-7d1f"


@contextmanager
def load_handler(function: str, environ: dict[str, str]) -> Iterator[Handler]:
    """``lambda_handler`` of functions/<function>/app.py. Its log is written, but nowhere.

    The settings, the connection and the clients are those of ``environ`` while this lasts.
    """
    from imageapi import db

    before = dict(os.environ)
    os.environ.update(environ)
    clear_caches()
    try:
        # The logger takes sys.stdout when the first request makes it, and keeps it.
        with contextlib.redirect_stdout(open_nowhere()):
            spec = importlib.util.spec_from_file_location(
                f"benchmarked_{function}", ROOT / "functions" / function / "app.py"
            )
            assert spec
            assert spec.loader
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            yield module.lambda_handler
    finally:
        db.close()
        psycopg2.extensions.set_wait_callback(None)  # imageapi.db's, which is for the whole process
        clear_caches()
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def without_time_limit() -> Iterator[None]:
    """Statements of the benchmark's own: they may take as long as they need, and COPY. (The wait callback
    of imageapi.db is for the whole process.)
    """
    callback = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(callback)


@lru_cache(maxsize=1)
def open_nowhere() -> TextIO:
    """A stream that stays open as long as a logger may write to it."""
    return open(os.devnull, "w")


def clear_caches() -> None:
    """Forget the settings, the logger, the clients and the estimated number of rows: everything that imageapi
    keeps in an lru_cache or a variable.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("imageapi."):
            for value in vars(module).values():
                if hasattr(value, "cache_info"):
                    value.cache_clear()
    if pages := sys.modules.get("imageapi.pages"):
        vars(pages)["_estimate"] = None


def make_context() -> SimpleNamespace:
    """What Lambda tells a handler."""
    return SimpleNamespace(
        aws_request_id=str(uuid.uuid4()),
        function_name="benchmark",
        function_version="$LATEST",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:benchmark",
        get_remaining_time_in_millis=lambda: 29_000,
    )


def make_event(
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> dict[str, Any]:
    """An event of a REST API's proxy integration (format 1.0)."""
    sent = {"Host": "localhost:8000", "X-API-Key": API_KEY, "X-Forwarded-Proto": "http", **(headers or {})}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "1234567890",
            "domainName": "localhost:8000",
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "benchmark"},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "resourcePath": path,
            "stage": "v1",
        },
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def make_upload_event(picture: bytes, filename: str, mime_type: str) -> dict[str, Any]:
    """POST /api/upload with a picture and metadata, as a browser's form sends them."""
    metadata = {
        "title": "Benchmark",
        "description": "A picture.",
        "category": "bench",
        "tags": ["one", "two"],
    }
    body = io.BytesIO()
    body.write(f"--{BOUNDARY}\r\n".encode())
    body.write(f'Content-Disposition: form-data; name="image_file"; filename="{filename}"\r\n'.encode())
    body.write(f"Content-Type: {mime_type}\r\n\r\n".encode())
    body.write(picture)
    body.write(f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'.encode())
    body.write(json.dumps(metadata).encode())
    body.write(f"\r\n--{BOUNDARY}--\r\n".encode())
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return make_event("POST", "/api/upload", headers={"Content-Type": content_type}, body=body.getvalue())
