"""Upload the demo pictures. Their Idempotency-Keys are fixed, so a second run adds nothing."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import urllib3
from rich.progress import track
from urllib3.exceptions import HTTPError

from local.client import Api, ask, ask_once, choose_api, describe
from local.demo.pictures import make_picture
from local.errors import LocalError
from local.settings import Settings

BUSY = (409, 429, 500, 502, 503, 504)
ADDED, THERE = "added", "there already"


def run_demo(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """Run the demo. Raises LocalError if the API does not respond or rejects a picture."""
    api = choose_api(arguments.base_url, arguments.api_key, settings, info)
    check_api(api)
    print(f"Creating {arguments.count} images and uploading them to {api.base_url}", flush=True)
    outcomes: Iterable[str] = upload_all(api, arguments.count)
    if sys.stdout.isatty():
        outcomes = track(outcomes, "  ", arguments.count, transient=True)
    counts = Counter(outcomes)
    print(f"{counts.pop(ADDED, 0)} added, {counts.pop(THERE, 0)} already uploaded. Open {api.base_url}/")
    if counts:
        raise LocalError(f"{counts.total()} images were rejected, for example: {min(counts)}")


def check_api(api: Api) -> None:
    """Raise LocalError if the API does not respond or rejects the key. The message says what to do."""
    status, _ = ask_once(api, "GET", "/api/images?limit=1")
    if status != 200:
        raise LocalError(f"The API at {api.base_url} returned {status} for a list of images. See its log.")


def upload_all(api: Api, count: int) -> Iterator[str]:
    """Upload pictures with one process per core, plus one that uses waiting times."""
    with ProcessPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        try:
            for task in as_completed([pool.submit(upload_one, api, number) for number in range(count)]):
                yield task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def upload_one(api: Api, number: int) -> str:
    """Paint and upload a picture. Retry while the API is busy. Return ADDED, THERE or the error."""
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
    # The Idempotency-Key was used with other bytes: another version of Pillow writes other files.
    if status == 200 or problem.get("code") == "idempotency_key_reused":
        return THERE
    return f"number {number}: {status} {problem.get('code', '')}: {problem.get('message', '')}"
