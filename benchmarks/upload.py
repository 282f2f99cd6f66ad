"""A warm upload of 300 KB, compared with only putting the same bytes and inserting the same row."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import psycopg2
import psycopg2.extensions
import psycopg2.extras
import uuid_utils
from imageapi.storage import clients

from benchmarks.figures import Figure, take_turns, timed
from benchmarks.handlers import METADATA, load_handler, make_context, make_upload_event
from benchmarks.pictures import encode_jpeg, make_photo
from benchmarks.servers import connect, insert, run_servers
from tests.support.postgres import without_time_limit

NAME = "upload"
PICTURE_BYTES = 300_000
WIDTH, HEIGHT = 1600, 1200
ROUNDS, WARM_UP = 150, 20
GOAL = 1.47
"""Decoding in the function itself takes 1.43. The decoder's process may add 3%."""


def run() -> list[Figure]:
    picture = encode_jpeg(make_photo(WIDTH, HEIGHT), PICTURE_BYTES)
    print(f"upload: {WIDTH} x {HEIGHT}, {len(picture):,} bytes, {ROUNDS} rounds", flush=True)
    event = make_upload_event(picture, "photo.jpg", "image/jpeg")
    with run_servers() as environ, load_handler("upload", environ) as handler:

        def upload() -> None:
            answer = handler(event, make_context())
            assert answer["statusCode"] == 201, answer

        with open_floor(environ, picture) as floor:
            calls = {"upload": timed(upload), "floor": timed(floor)}
            take_turns(calls, WARM_UP)
            medians = take_turns(calls, ROUNDS)
    return [Figure("upload, warm, 300 KB", medians["upload"], medians["floor"], "put + insert", goal=GOAL)]


@contextmanager
def open_floor(environ: dict[str, str], picture: bytes) -> Iterator[Callable[[], None]]:
    """The minimum work of an upload: one put_object, and one committed INSERT of the same row."""

    client = boto3.client(
        "s3",
        endpoint_url=environ["MINIO_ENDPOINT_URL"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["MINIO_ACCESS_KEY"],
        aws_secret_access_key=environ["MINIO_SECRET_KEY"],
        config=clients.get_client().meta.config,
    )
    connection = connect(environ)
    row = make_row(picture)

    def put_and_insert() -> None:
        image_id = str(uuid_utils.uuid7())
        key = f"originals/{image_id}.jpg"
        client.put_object(
            Bucket=environ["MINIO_BUCKET_NAME"], Key=key, Body=picture, ContentType="image/jpeg"
        )
        with without_time_limit(), connection.cursor() as cursor:
            insert(cursor, "image_metadata", {**row, "id": image_id, "s3_key": key})

    try:
        yield put_and_insert
    finally:
        connection.close()


def make_row(picture: bytes) -> dict[str, object]:
    """All columns of a row except its id and key."""
    file = {"filename": "photo.jpg", "mime_type": "image/jpeg", "size_bytes": len(picture)}
    return {
        **METADATA,
        **file,
        "width": WIDTH,
        "height": HEIGHT,
        "sha256": hashlib.sha256(picture).digest(),
        "placeholder": "data:image/webp;base64," + base64.b64encode(bytes(100)).decode(),
        "exif": psycopg2.extras.Json({}, dumps=json.dumps),
    }
