"""CloudFront for tests: infra/edge.yaml's function, behaviors, origins and cache.

The bucket is a real one and gets signed requests. The API's functions get the events that API Gateway creates
from CloudFront's requests. The template defines the rest: which paths are cached and for how long, when the
API is asked after the bucket, which headers the origins get, and which headers responses get.
"""

import base64
import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.servers.s3 import S3Server
from tests import ROOT
from tests.support.edge_function import EdgeFunction, Outcome, Pairs, make_request
from tests.support.events import binary_media_types, handle, make_event
from tests.support.http_client import Answer
from tests.support.templates import expand_template

_RESOURCES = expand_template(ROOT / "infra/edge.yaml")
_CONFIG = _RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
(_IMAGES,) = _CONFIG["CacheBehaviors"]
_CACHE = _RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]
_SENT = _RESOURCES["ImageRequestPolicy"]["Properties"]["OriginRequestPolicyConfig"]["HeadersConfig"][
    "Headers"
]
_ADDED = _RESOURCES["ImageHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]
_FAILOVER = _CONFIG["OriginGroups"]["Items"][0]["FailoverCriteria"]["StatusCodes"]["Items"]
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": _ADDED["SecurityHeadersConfig"]["ReferrerPolicy"]["ReferrerPolicy"],
    "access-control-allow-origin": _ADDED["CorsConfig"]["AccessControlAllowOrigins"]["Items"][0],
    "access-control-expose-headers": ",".join(_ADDED["CorsConfig"]["AccessControlExposeHeaders"]["Items"]),
}
CONDITIONAL = ("range", "if-none-match", "if-modified-since")
Response = tuple[int, dict[str, str], bytes]


@dataclass
class Edge:
    """A distribution.

    Attributes:
        secret: the value of the header X-Origin-Verify that it sends.
        asked: the origins that were asked, ``bucket`` and ``api``, in order.
    """

    function: EdgeFunction
    bucket: S3Server
    secret: str
    asked: list[str] = field(default_factory=list)
    _cached: dict[str, Response] = field(default_factory=dict)

    def fetch(
        self,
        method: str,
        link: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        now: float | None = None,
    ) -> Answer:
        """One request of a viewer. Only path and query of ``link`` count."""
        target = re.sub(r"^https?://[^/]+", "", link)
        sent = list((headers or {}).items())
        if not target.startswith(_IMAGES["PathPattern"].removesuffix("*")):
            return _to_answer(self._pass(method, target, sent, body, now))
        outcome = self.function.on_request(target, sent, method=method, now=now)
        if outcome.error:
            return _to_answer((outcome.error[0], outcome.headers, outcome.value["body"]["data"].encode()))
        status, found, data = self._view(outcome, method, target)
        if status < 400:  # CloudFront runs no function on errors
            request = make_request(target, sent, method)
            found = self.function.on_response(request, status, found, now=now).headers
        return _to_answer((status, found | SECURITY_HEADERS, b"" if method == "HEAD" else data))

    def invalidate(self, paths: list[str]) -> None:
        """Forget everything below these paths, which end with ``*``."""
        for cached in [path for path in self._cached if any(path.startswith(p.rstrip("*")) for p in paths)]:
            del self._cached[cached]

    def _pass(self, method: str, target: str, sent: Pairs, body: bytes, now: float | None) -> Response:
        """The default behavior: everything goes to the API, uncached, with all headers but Host."""
        outcome = self.function.on_request(target, sent, method=method, now=now)
        headers = {name: value for name, value in outcome.headers.items() if name != "host"}
        return self._ask_api(method, target, headers, body)

    def _view(self, outcome: Outcome, method: str, target: str) -> Response:
        """From the cache or the origins. The key is the path."""
        headers = outcome.headers
        if outcome.uri in self._cached:
            return _answer_conditional(self._cached[outcome.uri], headers)
        query = target.partition("?")[2]
        path = outcome.uri + (f"?{query}" if query else "")
        allowed = {name.lower() for name in _SENT}
        kept = {name: value for name, value in headers.items() if name in allowed}
        conditions = {name: value for name, value in headers.items() if name in CONDITIONAL}
        response = self._ask_bucket(method, path, kept | conditions)
        if response[0] in _FAILOVER:
            response = self._ask_api(method, path, kept, b"")
        if method == "GET" and response[0] == 200 and _is_cacheable(response[1]):
            self._cached[outcome.uri] = response
            return _answer_conditional(response, headers)
        return response

    def _ask_bucket(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """By the bucket's policy, CloudFront gets variants, and 403 for anything missing."""
        self.asked.append("bucket")
        if not unquote(path).startswith("/variants/"):
            return 403, {"content-type": "application/xml"}, b"<Error/>"
        url = f"{self.bucket.endpoint_url}/{self.bucket.bucket}{path}"
        request = AWSRequest(method, url, dict(headers))
        S3SigV4Auth(Credentials(self.bucket.access_key, self.bucket.secret_key), "s3", "us-east-1").add_auth(
            request
        )
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        try:
            connection.request(method, f"{parts.path}?{parts.query}", headers=dict(request.headers))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            status = 403 if answer.status == 404 else answer.status
            return status, found, answer.read()
        finally:
            connection.close()

    def _ask_api(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.asked.append("api")
        path, _, query = target.partition("?")
        sent = {name.title(): value for name, value in headers.items()} | {"X-Origin-Verify": self.secret}
        pairs = parse_qsl(query, keep_blank_values=True)
        answer = handle(make_event(method, path, sent, pairs, body))
        found = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
        return answer["statusCode"], found, _to_bytes(answer, headers.get("accept", ""))


def _to_bytes(answer: Mapping[str, Any], accept: str) -> bytes:
    """The body as API Gateway sends it: decoded only if the first type in Accept is a binary one."""
    text = (answer["body"] or "").encode()
    is_binary = accept.partition(",")[0].strip() in binary_media_types()
    return base64.b64decode(text) if answer["isBase64Encoded"] and is_binary else text


def _is_cacheable(headers: Mapping[str, str]) -> bool:
    """With a MinTTL of 0, CloudFront follows Cache-Control."""
    assert _CACHE["MinTTL"] == 0
    directives = {part.strip() for part in headers.get("cache-control", "").split(",")}
    return not directives & {"private", "no-store", "no-cache", "max-age=0"}


def _answer_conditional(response: Response, headers: Mapping[str, str]) -> Response:
    """A cached response: whole, a range, or 304 if the viewer has it."""
    status, found, data = response
    if "etag" in found and headers.get("if-none-match") == found["etag"]:
        return 304, found, b""
    if match := re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", "")):
        first, last = int(match[1]), min(int(match[2]), len(data) - 1)
        return 206, {**found, "content-range": f"bytes {first}-{last}/{len(data)}"}, data[first : last + 1]
    return status, found, data


def _to_answer(response: Response) -> Answer:
    status, headers, data = response
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(status, json.loads(data) if is_json and data else None, headers, data)
