"""Sends single deliveries, with a short time limit."""

import json
import time
from typing import Any

from imageapi.webhook_sender.send import send_all
from imageapi.webhook_sender.sign import make_secret

ENVIRONMENT = {"DB_HOST": "nowhere", "MINIO_BUCKET_NAME": "images"}
SECRET = make_secret()
LIMIT = 1.0


def delivery(url: str, count: int = 1, webhook_id: str = "w") -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "lease_token": 3,
        "url": url,
        "secrets": [{"secret": SECRET, "until": None}],
        "messages": [
            {
                "id": f"chg_{number}_0",
                "type": "image.changed",
                "sequence": number,
                "body": json.dumps({"n": f"猫{number}"}),
            }
            for number in range(1, count + 1)
        ],
    }


def send_one(url: str) -> dict[str, Any]:
    """Send one delivery, which must end within its time limit; returns the result."""
    start = time.monotonic()
    (outcome,) = send_all([delivery(url)])
    assert time.monotonic() - start < LIMIT + 5
    (result,) = outcome["results"]
    assert (outcome["webhook_id"], outcome["lease_token"], result["sequence"]) == ("w", 3, 1)
    found: dict[str, Any] = result
    return found
