"""Requests for analyses, and their rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from imageapi.analysis import gemini

from tests.integration.client import get, send, upload
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.events import API_KEY, Event, LambdaContext, load_handler, make_event
from tests.support.gemini_server import KEY, MODEL, GeminiServer, gemini_server

FUNCTION = "AnalyzeFunction"


@contextmanager
def gemini_beside(
    stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GeminiServer]:
    """Start a fake Gemini, which the service uses. Retries do not wait, and the budget is unspent."""
    monkeypatch.setattr(gemini, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(gemini, "LONGEST_PAUSE", 0.01)
    stores.execute("DELETE FROM daily_budgets")
    with gemini_server() as server:
        configure(**gemini_variables(server), ANALYSIS_DAILY_BUDGET=None, ANALYSIS_LANGUAGE=None)
        configure(ANALYSIS_QUEUE_URL=None, ANALYZE_UPLOADS=None)
        gemini._client.cache_clear()
        yield server
    gemini._client.cache_clear()


def gemini_variables(server: GeminiServer) -> dict[str, str]:
    """The settings of another process that uses this server."""
    return {"GEMINI_API_KEY": KEY, "GEMINI_BASE_URL": server.url, "GEMINI_MODEL": MODEL}


def analysis_event(image_id: str, query: dict[str, str] | None = None) -> Event:
    return make_event("POST", f"/api/images/{image_id}/analysis", {"X-API-Key": API_KEY}, query or {})


def analyze(image_id: str, **query: str) -> Answer:
    return send(analysis_event(image_id, query))


def read_analysis(image_id: str) -> dict[str, Any]:
    """GET an analysis, which may still be pending."""
    found: dict[str, Any] = get(f"/api/images/{image_id}/analysis").body["data"]
    return found


def queue_event(*image_ids: str) -> dict[str, Any]:
    bodies = [json.dumps({"image_id": image_id}) for image_id in image_ids]
    source = {"eventSource": "aws:sqs"}
    return {
        "Records": [source | {"messageId": f"message-{n}", "body": body} for n, body in enumerate(bodies)]
    }


def work_on(event: dict[str, Any]) -> dict[str, Any]:
    return load_handler(FUNCTION)(event, LambdaContext())


def new_image(**values: Any) -> str:
    return str(upload(pictures.camera_jpeg(), values or None).image["id"])


def queue(stores: Stores, image_id: str, status: str = "queued", due: str = "0 s", attempts: int = 0) -> None:
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, attempts, lease_until)
           VALUES (%s, %s, %s, now() + %s::interval)""",
        (image_id, status, attempts, due),
    )


def row(stores: Stores, image_id: str) -> dict[str, Any]:
    (found,) = stores.execute("SELECT * FROM image_analysis WHERE image_id = %s", (image_id,))
    return found


def calls(stores: Stores) -> int:
    return sum(row["used"] for row in stores.execute("SELECT used FROM daily_budgets"))
