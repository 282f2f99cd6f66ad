"""Uploads the demo pictures. Their Idempotency-Keys are fixed, so a second run adds nothing."""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any, NamedTuple

import urllib3
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from urllib3.exceptions import HTTPError, LocationValueError

from local.demo.pictures import DemoPicture, make_picture
from local.errors import LocalError
from local.settings import Settings

ATTEMPTS = 5
TIMEOUT = 60.0


class Api(NamedTuple):
    base_url: str
    key: str


class Outcome(NamedTuple):
    """The result for one picture: "added", "there already", or what went wrong."""

    number: int
    text: str


def run_demo(arguments: argparse.Namespace, settings: Settings, facts: dict[str, Any] | None) -> None:
    """Raises LocalError when no API answers, or when a picture was refused."""
    api = choose_api(arguments.base_url, arguments.api_key, settings, facts)
    check_api(api)
    print(f"Making {arguments.count} pictures and uploading them to {api.base_url}", flush=True)
    counts: Counter[str] = Counter()
    failures = []
    for outcome in show_progress(upload_all(api, range(arguments.count)), arguments.count):
        counts[outcome.text] += 1
        if outcome.text not in ("added", "there already"):
            failures.append(outcome)
    print(f"{counts['added']} added, {counts['there already']} there already. See them at {api.base_url}/")
    if failures:
        first = min(failures)
        raise LocalError(f"{len(failures)} were not taken; the first is number {first.number}: {first.text}")


def choose_api(
    base_url: str | None, api_key: str | None, settings: Settings, facts: dict[str, Any] | None
) -> Api:
    """The API that the arguments name, else BASE_URL of .env or the shell, else the run on this machine."""
    found = base_url or settings.value("BASE_URL")
    if not found:
        found = facts["base_url"] if facts else f"http://127.0.0.1:{settings.port}"
    key = api_key or (facts["api_key"] if facts and found == facts["base_url"] else settings.value("API_KEY"))
    return Api(found.rstrip("/"), key.partition(",")[0].strip())


def check_api(api: Api) -> None:
    """Raise LocalError, with what to do, when the API does not answer or refuses the key."""
    if not api.key:
        raise LocalError("API_KEY is empty: set it in .env, or give --api-key.")
    no_address = f"{api.base_url} is not an address such as http://127.0.0.1:8000."
    if not api.base_url.startswith(("http://", "https://")):
        raise LocalError(no_address)
    try:
        status, _ = ask(api, "GET", "/api/images?limit=1")
    except LocationValueError as error:
        raise LocalError(no_address) from error
    except HTTPError as error:
        raise LocalError(
            f"No API answers at {api.base_url} ({describe(error)}). Start `make run` in another terminal, "
            "or set BASE_URL to where one runs."
        ) from error
    if status == 401:
        raise LocalError(f"The API at {api.base_url} does not take this key: set API_KEY to the right one.")
    if status != 200:
        raise LocalError(f"The API at {api.base_url} answers {status} to a list of images: see its log.")


def upload_all(api: Api, numbers: Iterable[int]) -> Iterator[Outcome]:
    """Make and upload the pictures in one process per core, and one more for the time spent waiting."""
    with ProcessPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        tasks: list[Future[Outcome]] = [pool.submit(upload_one, api, number) for number in numbers]
        try:
            for task in as_completed(tasks):
                yield task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def upload_one(api: Api, number: int) -> Outcome:
    """Make one picture and upload it; try again when the API is busy or away for a moment."""
    picture = make_picture(number)
    headers = {"Idempotency-Key": f"demo-{number:04d}"}
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(2**attempt / 4)
        try:
            status, answer = ask(api, "POST", "/api/upload", headers=headers, fields=make_fields(picture))
        except HTTPError as error:
            text = f"no answer ({describe(error)})"
            continue
        text = judge(status, answer)
        if status not in (409, 429, 500, 502, 503, 504):
            break
    return Outcome(number, text)


def judge(status: int, answer: Any) -> str:
    """The text of an Outcome."""
    if status == 201:
        return "added"
    error = answer.get("error", {}) if isinstance(answer, dict) else {}
    # The key is known, but came with other bytes: another version of Pillow writes other files.
    if status == 200 or error.get("code") == "idempotency_key_reused":
        return "there already"
    return f"{status} {error.get('code', '')}: {error.get('message', '')}"


def make_fields(picture: DemoPicture) -> dict[str, Any]:
    """The fields of an upload's form, as urllib3 takes them."""
    return {
        "image_file": (picture.filename, picture.data, picture.mime_type),
        "metadata": json.dumps(picture.metadata, ensure_ascii=False),
    }


def ask(api: Api, method: str, path: str, **request: Any) -> tuple[int, Any]:
    """Status and JSON (or None) of one response. Raises urllib3's HTTPError when there is no response."""
    headers = {"X-API-Key": api.key, **request.pop("headers", {})}
    # A manager for this request alone: processes that fork must not share a connection.
    with urllib3.PoolManager() as manager:
        response = manager.request(
            method, api.base_url + path, headers=headers, timeout=TIMEOUT, retries=False, **request
        )
    try:
        return response.status, json.loads(response.data)
    except ValueError:
        return response.status, None


def describe(error: HTTPError) -> str:
    """The end of urllib3's message, which says what went wrong; its beginning names the connection."""
    return str(error).rpartition(": ")[2]


def show_progress(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Pass the outcomes on, with a bar on a terminal."""
    columns = (TextColumn("  "), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        yield from progress.track(outcomes, total=total)
