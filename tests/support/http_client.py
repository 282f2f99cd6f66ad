"""HTTP requests and responses."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
"""For one request: `sam local` starts a container for the first one of each function."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response with its parsed JSON, if any."""

    status: int
    headers: Mapping[str, str]
    data: bytes
    body: Any

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def code(self) -> str:
        """The code of this error response."""
        return str(self.body["error"]["code"])

    @property
    def image(self) -> dict[str, Any]:
        """The image in this response."""
        image: dict[str, Any] = self.body["data"]
        return image


def fetch(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One HTTP request; redirects are not followed."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = (
        http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    )
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    is_json = found.get("content-type", "").startswith("application/json")
    return Answer(response.status, found, data, json.loads(data) if is_json and data else None)
