"""Presigned uploads through a run."""

import json
import uuid
from collections.abc import Callable

import urllib3

from tests.e2e.client import Api
from tests.support import pictures


def announce(api: Api) -> tuple[str, Callable[[], int]]:
    """Announce an upload: its id, and what posts its form."""
    picture = pictures.jpeg_of_size(100_000, seed=uuid.uuid4())
    values = {"filename": "a.jpg", "size_bytes": len(picture), "mime_type": "image/jpeg"}
    ticket = api.request("POST", "/api/uploads", body=json.dumps(values).encode()).body["data"]

    def send() -> int:
        fields = {**ticket["form"]["fields"], "file": ("a.jpg", picture)}
        return urllib3.request("POST", ticket["form"]["url"], fields=fields).status

    return ticket["id"], send


def is_listed(api: Api, image_id: str) -> bool:
    return image_id in {image["id"] for image in api.request("GET", "/api/images").body["images"]}
