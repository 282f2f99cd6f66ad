"""Requests to an API: the run here, another address, or a stack on AWS."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from local.errors import LocalError
from local.invocation import find_outputs, read_secret
from local.settings import Settings

TIMEOUT = 60.0


class Api(NamedTuple):
    base_url: str
    key: str


def choose_api(
    base_url: str | None, api_key: str | None, settings: Settings, info: dict[str, Any] | None
) -> Api:
    """The API in the arguments, else at BASE_URL in .env or the shell, else of the local run."""
    here = info["base_url"] if info else f"http://127.0.0.1:{settings.port}"
    found = (base_url or settings.value("BASE_URL", here)).rstrip("/")
    return Api(found, api_key or (info["api_key"] if info and found == here else settings.client_key))


def find_stack_api(stack: str, api_key: str | None) -> Api:
    """The API of a stack on AWS, with the given key or the key in its secret.

    Raises:
        LocalError: the stack does not exist, or it was deployed with an ApiKey, which cannot be read.
    """
    outputs = find_outputs(stack)
    secret = outputs.get("ApiKeySecret")
    if not api_key and not secret:
        raise LocalError(
            f"The API key of {stack} is a parameter, which cannot be read. Pass it with --api-key."
        )
    return Api(outputs["Url"].rstrip("/"), api_key or read_secret(str(secret)))


def ask_once(api: Api, method: str, path: str, **request: Any) -> tuple[int, Any]:
    """As :func:`ask`, without retries.

    Raises:
        LocalError: the API does not respond or rejects the key. The message says what to do.
    """
    if not api.key:
        raise LocalError("API_KEY is empty. Set it in .env, or pass --api-key.")
    parts = urlsplit(api.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LocalError(f"{api.base_url} is not a URL such as http://127.0.0.1:8000.")
    try:
        status, answer = ask(api, method, path, retries=False, **request)
    except HTTPError as error:
        raise LocalError(
            f"No API answers at {api.base_url} ({describe(error)}). Start `make run` in another terminal, "
            "or set BASE_URL to where one runs."
        ) from error
    if status == 401:
        raise LocalError(f"The API at {api.base_url} rejected this key. Set API_KEY to its root key.")
    return status, answer


def ask(
    api: Api, method: str, path: str, headers: dict[str, str] | None = None, **request: Any
) -> tuple[int, Any]:
    """Status and JSON (or None) of one response. Raises urllib3's HTTPError without a response."""
    # One manager per request, because forked processes must not share a connection.
    with urllib3.PoolManager(headers={"X-API-Key": api.key}) as manager:
        headers = {**manager.headers, **(headers or {})}
        response = manager.request(method, api.base_url + path, headers=headers, timeout=TIMEOUT, **request)
    try:
        return response.status, response.json()
    except ValueError:
        return response.status, None


def describe(error: HTTPError) -> str:
    """The error, which is the end of urllib3's message. The beginning names the connection."""
    return str(error).rpartition(": ")[2]
