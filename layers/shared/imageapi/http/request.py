"""A request from API Gateway's proxy integration (format 1.0)."""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from imageapi.api_keys.check import Key
from imageapi.config.settings import get_settings
from imageapi.errors import InvalidBodyError
from imageapi.http.cdn_bypass import HEADER, came_through_cdn
from imageapi.model.parameters import single

NO_KEY = Key("", (), "")


@dataclass(frozen=True)
class Request:
    """A request of a client.

    Attributes:
        event: API Gateway's event; only ``imageapi.http`` reads it.
        key: the checked API key; without scopes on public routes.
        parameters: the checked and converted query parameters; see ``model.parameters``.
        fields: the checked JSON body; see ``model.schemas``.
    """

    event: dict[str, Any]
    key: Key = NO_KEY
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """``GET``, ``HEAD``, …"""
        return str(self.event["httpMethod"])

    @cached_property
    def path(self) -> str:
        """The percent-encoded path of the route, without the stage or a custom domain's base path."""
        path = str(self.event["path"])
        match = _end_of_path(self.event["resource"]).search(path)
        return match[0] or "/" if match else path

    def header(self, name: str) -> str | None:
        """The value of a header, by its case-insensitive name."""
        wanted = name.lower()
        headers = self.event.get("headers") or {}
        return next((value for header, value in headers.items() if header.lower() == wanted), None)

    @property
    def query_lists(self) -> dict[str, list[str]]:
        """All values of each query parameter."""
        return dict(self.event.get("multiValueQueryStringParameters") or {})

    @property
    def query(self) -> dict[str, str]:
        """The unchecked query parameters, for routes that declare none.

        Raises:
            InvalidRequestError: ``parameter_repeated``.
        """
        return {name: single(name, values) for name, values in self.query_lists.items()}

    @cached_property
    def body(self) -> bytes:
        """The decoded body.

        Raises:
            InvalidRequestError: ``body_invalid``: the gateway's base64 is malformed.
        """
        text = self.event.get("body") or ""
        if not self.event.get("isBase64Encoded"):
            return text.encode("utf-8", "surrogatepass")
        import pybase64  # only uploads need it; it decodes eight times as fast as base64

        try:
            return pybase64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            raise InvalidBodyError("encoding", "The body is not valid base64.") from error

    @property
    def base_url(self) -> str:
        """PUBLIC_BASE_URL, else the request's address with its stage or base path; no trailing slash."""
        configured = get_settings().public_base_url
        if configured:
            return configured
        forwarded = self.header("X-Forwarded-Host")
        if forwarded and came_through_cdn(self.header(HEADER), get_settings().origin_secrets):
            return f"https://{forwarded}"
        scheme = self.header("X-Forwarded-Proto") or "https"
        host = self.header("Host") or self.event["requestContext"].get("domainName") or ""
        return f"{scheme}://{host}{self.prefix}"

    @property
    def prefix(self) -> str:
        """The path before the route's: ``/v1`` at the API's default AWS address, a custom domain's base path,
        or empty, as under sam local.
        """
        full, path = str(self.event["requestContext"]["path"]).rstrip("/"), self.path.rstrip("/")
        # sam local sends the route's pattern as the path.
        return full[: len(full) - len(path)] if full.endswith(path) else ""

    @property
    def is_direct(self) -> bool:
        """Whether the client called API Gateway directly. A CDN or proxy may use other paths."""
        domain = self.event["requestContext"].get("domainName")
        return self.header("Host") == domain and not self.header("X-Amz-Cf-Id")


@lru_cache(maxsize=32)
def _end_of_path(resource: str) -> re.Pattern[str]:
    """A pattern that finds a route's path (``/images/{id}``) at the end of an event's path."""
    parts = re.split(r"\{\w+(\+?)\}", resource.rstrip("/"))
    for index, part in enumerate(parts):
        parts[index] = (".+" if part else "[^/]+") if index % 2 else re.escape(part)
    return re.compile("".join(parts) + "/*$")
