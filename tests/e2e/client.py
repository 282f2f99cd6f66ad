"""The API as a client sees it, over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.support import multipart
from tests.support.http_client import Answer, fetch

# Characters that must stay unescaped for a query to be sent unchanged.
SAFE_IN_PATH = "/%+"


@dataclass(frozen=True)
class Api:
    """A service and its key."""

    base_url: str
    key: str

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        key: str | None = "",
    ) -> Answer:
        """Send a request with an API key (None: without), and check the conventions. Follows no redirect."""
        sent = dict(headers or {})
        if key is not None:
            sent["X-API-Key"] = key or self.key
        url = self.base_url.rstrip("/") + quote(path, safe=SAFE_IN_PATH)
        answer = fetch(method, url + (f"?{urlencode(query)}" if query else ""), sent, body)
        assert answer.headers["x-request-id"]
        if answer.status >= 400 and not path.startswith("/health"):
            assert answer.headers["content-type"] == "application/json"
            assert set(answer.body["error"]) >= {"code", "message", "request_id"}
        return answer

    def get(self, path: str, query: Mapping[str, str] | None = None, *, key: str | None = "") -> Answer:
        return self.request("GET", path, query=query, key=key)

    def send(self, method: str, path: str, values: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Send a request with optional JSON. ``If_Match="…"`` becomes a header."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = None
        if values is not None:
            sent["Content-Type"], body = "application/json", json.dumps(values).encode()
        return self.request(method, path, headers=sent, body=body)

    def upload(
        self,
        data: bytes,
        metadata: Mapping[str, Any] | str | bytes | None = None,
        *,
        filename: str | None = "picture.jpg",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self.upload_form(*multipart.upload_body(data, filename, metadata), headers=headers)

    def upload_form(
        self, body: bytes, content_type: str, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST /api/upload with a body of any kind."""
        sent = {"Content-Type": content_type, **(headers or {})}
        return self.request("POST", "/api/upload", headers=sent, body=body)

    def announce(self, data: bytes, key: str = "", **values: Any) -> Answer:
        """POST /api/uploads for a JPEG, with an optional Idempotency-Key."""
        described = {"filename": "a.jpg", "size_bytes": len(data), "mime_type": "image/jpeg"} | values
        return self.send("POST", "/api/uploads", described, **({"Idempotency_Key": key} if key else {}))

    @staticmethod
    def post_file(form: Mapping[str, Any], data: bytes) -> int:
        """Post a file to the store, as a browser's form does; returns the status."""
        fields = [multipart.field(name, value) for name, value in form["fields"].items()]
        file = multipart.file(data, "x", name="file", content_type=None)
        body, content_type = multipart.build([*fields, file])
        return fetch("POST", form["url"], {"Content-Type": content_type}, body).status
