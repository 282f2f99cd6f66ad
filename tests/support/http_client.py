"""HTTP requests and responses."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.answers import Read

TIMEOUT_SECONDS = 60
"""For one request: `sam local` starts a container for the first one of each function."""


@dataclass(frozen=True)
class Answer(Read):
    """An HTTP response with its parsed JSON, if any."""

    headers: Mapping[str, str]
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()


def fetch(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One HTTP request; redirects are not followed."""
    parts = urlsplit(url)
    assert parts.hostname
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    is_json = found.get("content-type", "").startswith("application/json")
    return Answer(response.status, json.loads(data) if is_json and data else None, found, data)
