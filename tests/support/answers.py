"""Responses of the functions to API Gateway."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Read:
    """A response; ``body`` is its parsed JSON, or None."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The code of this error response."""
        return str(self.body["error"]["code"])

    @property
    def error(self) -> tuple[int, str]:
        """The status and code of this error response."""
        return self.status, self.code

    @property
    def image(self) -> dict[str, Any]:
        """The image in this response."""
        image: dict[str, Any] = self.body["data"]
        return image


@dataclass(frozen=True)
class Answer(Read):
    """A response of a function; its ``body`` may be text too.

    Attributes:
        headers: lists of values, by name in lower case.
        text: the raw body.
    """

    headers: dict[str, list[str]]
    text: str = ""


def parse(response: dict[str, Any], *, head: bool = False) -> Answer:
    """Parse a function's response, and check the rules of every response and every error.

    Args:
        head: responds to HEAD, so it has no body.
    """
    assert not response.get("headers"), "API Gateway would take one of the two"
    headers = {name.lower(): value for name, value in response["multiValueHeaders"].items()}
    assert headers["x-request-id"][0]
    text = response["body"] or ""
    body: Any = text or None
    if body and headers["content-type"][0].startswith("application/json"):
        body = json.loads(body)
    if head:
        assert body is None
    elif response["statusCode"] >= 400 and "checks" not in body:
        assert headers["content-type"] == ["application/json"]
        assert set(body) == {"error"}
        assert set(body["error"]) - {"details"} == {"code", "message", "request_id"}
        assert [body["error"]["request_id"]] == headers["x-request-id"]
    return Answer(response["statusCode"], body, headers, text)
