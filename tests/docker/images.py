"""Generates pictures and uploads them."""

import random
import time
from io import BytesIO
from typing import Any

import boto3
from PIL import Image

from tests.docker.stack import API
from tests.support.http_client import Answer, fetch


def make_jpeg(*, seed: int, side: int = 320) -> bytes:
    """A JPEG of noise, reproducible by seed and large enough to contain every byte value."""
    pixels = random.Random(seed).randbytes(side * side * 3)
    out = BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def make_s3() -> Any:
    """A client of the stack's MinIO, through its published port."""
    return boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9000",
        aws_access_key_id="minioadmin",
        aws_secret_access_key="minioadmin123",
        region_name="us-east-1",
    )


def upload(picture: bytes) -> dict[str, Any]:
    answer = API.upload(picture, {"title": "from the docker tests"})
    assert answer.status == 201, answer
    return answer.image


def download_original(image: dict[str, Any], *, timeout: float = 0) -> bytes:
    """Follow the image's link as a browser does: to the API, then to MinIO's published port.

    Args:
        timeout: the seconds to retry. A store that has just started may find its bucket before its objects.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer: Answer = fetch("GET", image["urls"]["original"])
        if answer.status == 302:
            answer = fetch("GET", answer.headers["location"])
        if answer.status < 500 or time.monotonic() > deadline:
            assert answer.status == 200, answer
            return answer.data
        time.sleep(0.3)
