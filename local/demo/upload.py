"""Uploads the demo pictures. Their Idempotency-Keys are fixed, so a second run adds nothing."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import urllib3
from rich.progress import track
from urllib3.exceptions import HTTPError

from local.demo.pictures import make_picture
from local.errors import LocalError
from local.settings import Settings

TIMEOUT = 60.0
BUSY = (409, 429, 500, 502, 503, 504)
ADDED, THERE = "added", "there already"


class Api(NamedTuple):
    base_url: str
    key: str


def run_demo(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """Run the demo. Raises LocalError when no API answers or a picture is refused."""
    api = choose_api(arguments.base_url, arguments.api_key, settings, info)
    check_api(api)
    print(f"Making {arguments.count} pictures and uploading them to {api.base_url}", flush=True)
    outcomes: Iterable[str] = upload_all(api, arguments.count)
    if sys.stdout.isatty():
        outcomes = track(outcomes, "  ", arguments.count, transient=True)
    counts = Counter(outcomes)
    print(f"{counts.pop(ADDED, 0)} added, {counts.pop(THERE, 0)} there already. See them at {api.base_url}/")
    if counts:
        raise LocalError(f"{counts.total()} were not taken; one of them is {min(counts)}")


def choose_api(
    base_url: str | None, api_key: str | None, settings: Settings, info: dict[str, Any] | None
) -> Api:
    """The API from the arguments, else from BASE_URL in .env or the shell, else the run on this machine."""
    here = info["base_url"] if info else f"http://127.0.0.1:{settings.port}"
    found = (base_url or settings.value("BASE_URL", here)).rstrip("/")
    return Api(found, api_key or (info["api_key"] if info and found == here else settings.client_key))


def check_api(api: Api) -> None:
    """Raise LocalError, with what to do, when the API does not answer or refuses the key."""
    if not api.key:
        raise LocalError("API_KEY is empty: set it in .env, or give --api-key.")
    parts = urlsplit(api.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LocalError(f"{api.base_url} is not an address such as http://127.0.0.1:8000.")
    try:
        status, _ = ask(api, "GET", "/api/images?limit=1", retries=False)
    except HTTPError as error:
        raise LocalError(
            f"No API answers at {api.base_url} ({describe(error)}). Start `make run` in another terminal, "
            "or set BASE_URL to where one runs."
        ) from error
    if status == 401:
        raise LocalError(f"The API at {api.base_url} does not take this key: set API_KEY to the right one.")
    if status != 200:
        raise LocalError(f"The API at {api.base_url} answers {status} to a list of images: see its log.")


def upload_all(api: Api, count: int) -> Iterator[str]:
    """Upload pictures with one process per core, plus one to use the time spent waiting."""
    with ProcessPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        try:
            for task in as_completed([pool.submit(upload_one, api, number) for number in range(count)]):
                yield task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def upload_one(api: Api, number: int) -> str:
    """Make and upload a picture; retry while the API is busy. Returns ADDED, THERE or the error."""
    picture = make_picture(number)
    fields = {
        "image_file": (picture.filename, picture.data, picture.mime_type),
        "metadata": json.dumps(picture.metadata, ensure_ascii=False),
    }
    again = urllib3.Retry(
        4, allowed_methods=None, status_forcelist=BUSY, backoff_factor=0.25, raise_on_status=False
    )
    headers = {"Idempotency-Key": f"demo-{number:04d}"}
    try:
        status, answer = ask(api, "POST", "/api/upload", headers, fields=fields, retries=again)
    except HTTPError as error:
        return f"number {number}: no answer ({describe(error)})"
    if status == 201:
        return ADDED
    problem = answer.get("error", {}) if isinstance(answer, dict) else {}
    # The key was used with other bytes: each version of Pillow writes different files.
    if status == 200 or problem.get("code") == "idempotency_key_reused":
        return THERE
    return f"number {number}: {status} {problem.get('code', '')}: {problem.get('message', '')}"


def ask(
    api: Api, method: str, path: str, headers: dict[str, str] | None = None, **request: Any
) -> tuple[int, Any]:
    """Status and JSON (or None) of one response. Raises urllib3's HTTPError when there is no response."""
    # One manager per request: forked processes must not share a connection.
    with urllib3.PoolManager(headers={"X-API-Key": api.key}) as manager:
        headers = {**manager.headers, **(headers or {})}
        response = manager.request(method, api.base_url + path, headers=headers, timeout=TIMEOUT, **request)
    try:
        return response.status, response.json()
    except ValueError:
        return response.status, None


def describe(error: HTTPError) -> str:
    """The end of urllib3's message, which is the error; the beginning names the connection."""
    return str(error).rpartition(": ")[2]
