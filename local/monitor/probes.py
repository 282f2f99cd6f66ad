"""What the monitor asks the machine and the services. Each question is cheap or has a limit."""

import contextlib
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2
import psycopg2.extras

from local.gateway.stats import PATH

TIMEOUT = 3.0
STATEMENT_MS = 2_000
MAX_PAGES = 20

# Every count is of an index, or of a table that stays small; Uploads and the bytes are of the last minute.
DATABASE_SQL = """
    SELECT (SELECT jsonb_object_agg(status, images) FROM (
                SELECT status, count(*) AS images FROM image_metadata WHERE status <> 'ready' GROUP BY status
                UNION ALL SELECT 'ready', count(*) FROM image_metadata WHERE status = 'ready') AS states
           ) AS rows,
           (SELECT coalesce(sum(size_bytes), 0)::bigint FROM image_metadata WHERE status = 'ready')
               AS original_bytes,
           (SELECT count(*) FROM image_variants WHERE status = 'ready' AND name <> 'reduced.jpg')
               AS "Renders",
           (SELECT count(*) FROM image_metadata WHERE status <> 'ready' AND sweep_after < now())
               AS "SweepFindings",
           (SELECT count(*) FROM image_metadata WHERE status = 'ready' AND id >= %(minute_ago)s)
               AS "Uploads",
           (SELECT coalesce(sum(size_bytes), 0)::bigint FROM image_metadata
            WHERE status = 'ready' AND id >= %(minute_ago)s) AS "UploadedBytes",
           (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
           pg_database_size(current_database()) AS database_bytes"""


@dataclass(frozen=True)
class Target:
    """Where the services listen."""

    base_url: str
    database: Mapping[str, Any]
    """host, port, user, password, dbname"""
    s3: Mapping[str, str]
    """endpoint_url, access_key, secret_key, bucket"""


def read_machine() -> dict[str, Any]:
    """CPU since the last call, memory."""
    memory = psutil.virtual_memory()
    return {
        "cpu_percent": psutil.cpu_percent(),
        "cpus": psutil.cpu_count(),
        "memory": {"used": memory.total - memory.available, "total": memory.total},
    }


def read_disk(folder: Path) -> dict[str, Any]:
    """The disk of a folder, which need not exist yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = psutil.disk_usage(str(there))
    return {"used": usage.used, "total": usage.total}


def ask_health(target: Target) -> dict[str, Any]:
    """The body of /health; empty when the API does not answer."""
    return get_json(target.base_url + "/health") or {}


def ask_stats(target: Target) -> dict[str, Any] | None:
    """The gateway's counts; None when it does not answer, or is not local.gateway."""
    return get_json(target.base_url + PATH, only=200)


def get_json(url: str, only: int | None = None) -> dict[str, Any] | None:
    """The JSON object that a URL returns, with any status or `only` that one; else None."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        content = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if not isinstance(content, dict) or only not in (None, response.status):
        return None
    return content


def read_database(target: Target) -> dict[str, Any]:
    """Rows by state and what is stored; {"error": …} when it does not answer in time."""
    options = {"connect_timeout": 3, "options": f"-c statement_timeout={STATEMENT_MS}", **target.database}
    # A UUIDv7 begins with the time in milliseconds, so ids from a moment on are a range of the primary key.
    minute_ago = f"{int((time.time() - 60) * 1000):012x}"
    values = {"minute_ago": f"{minute_ago[:8]}-{minute_ago[8:]}-0000-0000-000000000000"}
    try:
        with contextlib.closing(
            psycopg2.connect(cursor_factory=psycopg2.extras.RealDictCursor, **options)
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(DATABASE_SQL, values)
            return dict(cursor.fetchone())
    except psycopg2.Error as error:
        return {"error": str(error).strip().partition("\n")[0]}


def read_bucket(target: Target) -> dict[str, Any]:
    """Number and bytes of the first 20,000 objects; "complete" says whether these are all."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=target.s3["endpoint_url"],
        aws_access_key_id=target.s3["access_key"],
        aws_secret_access_key=target.s3["secret_key"],
        region_name="us-east-1",
        config=Config(
            connect_timeout=TIMEOUT,
            read_timeout=TIMEOUT,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )
    objects = size = 0
    complete = True
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=target.s3["bucket"])
        for number, page in enumerate(pages):
            found = page.get("Contents", [])
            objects += len(found)
            size += sum(item["Size"] for item in found)
            if number + 1 >= MAX_PAGES:
                complete = not page["IsTruncated"]
                break
    except (BotoCoreError, ClientError) as error:
        return {"error": str(error)}
    return {"objects": objects, "bytes": size, "complete": complete}
