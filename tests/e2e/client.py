"""The API as any client sees it: HTTP and nothing else."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.support.multipart import upload_body

TIMEOUT_SECONDS = 60
"""For one request: `sam local` starts a container for the first one of each function."""

# Without these characters, a query is not sent as it stands.
SAFE_IN_PATH = "/%+"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, its JSON parsed (None where there is none)."""

    status: int
    headers: Mapping[str, str]
    data: bytes
    body: Any

    @property
    def code(self) -> str:
        """The code of the error that this answer is."""
        return str(self.body["error"]["code"])

    @property
    def image(self) -> dict[str, Any]:
        """The image that this answer is."""
        image: dict[str, Any] = self.body["data"]
        return image


@dataclass(frozen=True)
class Api:
    """A service and the key for it."""

    base_url: str
    key: str

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        key: str | None = "",
    ) -> Answer:
        """One request with the API key, or another one; None sends none. Redirects are not followed.

        What is true of every answer of the API is checked here.
        """
        sent = dict(headers or {})
        if key is not None:
            sent["X-API-Key"] = key or self.key
        url = self.base_url.rstrip("/") + quote(path, safe=SAFE_IN_PATH)
        answer = fetch(method, url + (f"?{urlencode(query)}" if query else ""), sent, body)
        assert answer.headers["x-request-id"]
        if answer.status >= 400 and not path.startswith("/health"):
            assert answer.headers["content-type"] == "application/json"
            assert set(answer.body["error"]) >= {"code", "message"}
        return answer

    def get(self, path: str, query: Mapping[str, str] | None = None, *, key: str | None = "") -> Answer:
        return self.request("GET", path, query=query, key=key)

    def upload(
        self,
        data: bytes,
        metadata: Mapping[str, Any] | str | bytes | None = None,
        *,
        filename: str | None = "picture.jpg",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST /api/upload."""
        return self.upload_form(*upload_body(data, filename, metadata), headers=headers)

    def upload_form(
        self, body: bytes, content_type: str, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST /api/upload with a body of any kind."""
        sent = {"Content-Type": content_type, **(headers or {})}
        return self.request("POST", "/api/upload", headers=sent, body=body)


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
