"""Replace the bucket's notifications of posted files to UploadFunction by listing the bucket once a second.

A list also finds files that arrived while nothing ran, and never shows an incomplete object. The template's
other notifications are not needed: there is no CloudFront, and webhook_poller.py polls its table.
"""

import json
import math
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

import boto3
from botocore.config import Config

from local.gateway.pool import Pool
from local.gateway.worker import REGION, InvokeError

FUNCTION, PREFIX = "UploadFunction", "incoming/"
RETRY_SECONDS, MAX_RETRY_SECONDS = 2.0, 600.0
"""The pause after the first failed attempt, which doubles with each further one, and the longest pause."""


def make_work(pools: Mapping[str, Pool]) -> Callable[[Any], bool] | None:
    """The work that sends new and overwritten objects to the function; None for a bucket on AWS."""
    pool = pools.get(FUNCTION)
    if not pool or not pool.environ.get("MINIO_ENDPOINT_URL"):
        return None
    environ = pool.environ
    client = boto3.client(
        "s3",
        endpoint_url=environ["MINIO_ENDPOINT_URL"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        config=Config(connect_timeout=2, read_timeout=20, proxies={}, s3={"addressing_style": "path"}),
    )
    bucket = environ["MINIO_BUCKET_NAME"]
    pages = client.get_paginator("list_objects_v2")
    known: dict[tuple[Any, ...], tuple[float, float]] = {}  # when each is due, and the pause after that

    def work(_connection: Any) -> bool:
        nonlocal known
        items = [
            item for page in pages.paginate(Bucket=bucket, Prefix=PREFIX) for item in page.get("Contents", [])
        ]
        found = {(item["Key"], item["ETag"], item["LastModified"]): item for item in items}
        known = {version: known.get(version, (0.0, RETRY_SECONDS)) for version in found}
        sent = False
        for version, (due, pause) in known.items():
            if time.monotonic() >= due:
                if _send(pool, make_event(bucket, found[version])):
                    known[version], sent = (math.inf, pause), True
                else:
                    known[version] = time.monotonic() + pause, min(2 * pause, MAX_RETRY_SECONDS)
        return sent  # then list again at once: a client may have resent a removed file

    return work


def _send(pool: Pool, event: dict[str, Any]) -> bool:
    """Send an object to the function. Return whether it is done."""
    try:
        return not json.loads(pool.invoke(json.dumps(event)))["batchItemFailures"]
    except InvokeError:  # logged by the pool
        return False


def make_event(bucket: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """The SQS event with S3's notification for an object of list_objects_v2."""
    key, etag = quote_plus(item["Key"], safe="/"), item["ETag"].strip('"')
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": f"{item['LastModified']:%Y-%m-%dT%H:%M:%S.000Z}",
        "eventName": "ObjectCreated:Post",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": item["Size"], "eTag": etag},
        },
    }
    message = {"messageId": str(uuid.uuid4()), "body": json.dumps({"Records": [record]})}
    return {"Records": [message]}
