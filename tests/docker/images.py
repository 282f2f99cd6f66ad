"""Makes pictures and sends them to the API."""

import hashlib
import json
import random
import time
import urllib.error
import urllib.request
from io import BytesIO
from typing import Any

import boto3
from PIL import Image

from tests.docker import stack

BOUNDARY = "image-api-docker-tests"


def make_jpeg(*, seed: int, side: int = 320) -> bytes:
    """A JPEG of noise, reproducible by seed and large enough to contain every byte value."""
    pixels = random.Random(seed).randbytes(side * side * 3)
    out = BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_s3() -> Any:
    """A client of the stack's MinIO, through its published port."""
    return boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9000",
        aws_access_key_id="minioadmin",
        aws_secret_access_key="minioadmin123",
        region_name="us-east-1",
    )


def download_original(image: dict[str, Any]) -> bytes:
    """Follow the image's link as a browser does: to the API, then to MinIO's published port."""
    with urllib.request.urlopen(image["urls"]["original"], timeout=40) as answer:
        data: bytes = answer.read()
    return data


def wait_for_original(image: dict[str, Any], *, timeout: float) -> bytes:
    """The same, from a store that has just started: it may know its bucket before its objects."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return download_original(image)
        except urllib.error.HTTPError as error:
            if error.code < 500 or time.monotonic() > deadline:
                raise
        time.sleep(0.3)


def upload(picture: bytes) -> dict[str, Any]:
    """POST /api/upload; returns the Image from the response."""
    parts = [
        (b'name="metadata"', json.dumps({"title": "from the docker tests"}).encode()),
        (b'name="image_file"; filename="a.jpg"\r\nContent-Type: image/jpeg', picture),
    ]
    boundary = b"--" + BOUNDARY.encode()
    body = b"".join(
        b"%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (boundary, head, content)
        for head, content in parts
    )
    media_type = f"multipart/form-data; boundary={BOUNDARY}"
    answer = stack.request("POST", "/api/upload", body=body + boundary + b"--\r\n", content_type=media_type)
    assert answer.status == 201, answer
    data: dict[str, Any] = answer.json()["data"]
    return data
