"""`python -m benchmarks.compare --images 5000000`: measure sweeps that compare the objects of all images.

Rows, database and sweep are real. The bucket is a server that generates its pages from the same ids.
"""

import argparse
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from threading import Event
from urllib.parse import parse_qs, urlsplit

import psycopg2.extensions

from benchmarks.handlers import load_handler
from benchmarks.scale import say
from benchmarks.servers import run_with_cursor
from tests.support.http_server import Handler, serve
from tests.support.postgres import without_time_limit

START = 1_700_000_000_000
"""The time of the first image, in milliseconds since 1970. Each further image is a millisecond later."""
TAIL = "7000-8000-000000000000"  # of all ids
ENDINGS = {"originals/": ".jpg", "variants/": "/w320.webp"}
SWEEP_SECONDS = 840
"""The function's Timeout less SPARE_MILLISECONDS."""
FILL = f"""
    WITH image AS (
        INSERT INTO image_metadata (id, filename, s3_key, mime_type, size_bytes, width, height, sha256)
        SELECT id, 'a.jpg', 'originals/' || id || '.jpg', 'image/jpeg', 1, 1, 1, sha256('')
        FROM generate_series(0, %s - 1) AS n,
             CAST(lpad(to_hex({START} + n), 12, '0') || '{TAIL}' AS uuid) AS id RETURNING id)
    INSERT INTO image_variants (image_id, name, status, lease_until)
    SELECT id, 'w320.webp', 'ready', now() FROM image"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    images = parser.parse_args().images
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=serve_bucket, args=(theirs, images), daemon=True).start()
    with run_with_cursor() as (environ, cursor):
        fill(cursor, images)
        say(f"{images:,} images with a variant each")
        with load_handler("sweep", environ | {"MINIO_ENDPOINT_URL": ours.recv()}):
            while compare(cursor):
                pass


def compare(cursor: psycopg2.extensions.cursor) -> bool:
    """Run one sweep and print its cost. Returns whether there is more to compare."""
    from imageapi.sweep.run import sweep

    start, cpu, statements = time.perf_counter(), time.process_time(), count_statements(cursor)
    report = sweep(dry_run=False, has_time=lambda: time.perf_counter() < start + SWEEP_SECONDS)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert not any(report.counts.values()), report
    statements = count_statements(cursor) - statements
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    end = report.compared_until or "the end"
    say(f"{seconds:.0f} s (CPU {cpu:.0f}), {statements:,} statements, {peak:.0f} MB, to {end}")
    return bool(report.compared_until)


def fill(cursor: psycopg2.extensions.cursor, images: int) -> None:
    """Insert rows without search columns, which the comparison does not read."""
    with without_time_limit():
        for table in ("image_metadata", "image_variants"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        cursor.execute(FILL, (images,))
        cursor.execute("VACUUM ANALYZE image_metadata, image_variants")


def count_statements(cursor: psycopg2.extensions.cursor) -> int:
    """Count transactions: each statement of a sweep is one."""
    time.sleep(1.1)  # PostgreSQL writes its counts once a second
    cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    found = cursor.fetchone()
    assert found
    return int(found[0])


def serve_bucket(pipe: Connection, images: int) -> None:
    """Serve ListObjectsV2 in a separate process, whose work does not count, and send the address."""

    class Bucket(Handler):
        def respond(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.answer(200, list_page(images, query), content_type="application/xml")

        def do_HEAD(self) -> None:  # noqa: N802
            self.answer(200)

    with serve(Bucket) as url:
        pipe.send(url)
        Event().wait()


def list_page(images: int, query: dict[str, str]) -> bytes:
    """A page of keys after ``start-after`` or the token."""
    area = query["prefix"]
    ending, objects = ENDINGS.get(area, ""), images if area in ENDINGS else 0
    after = (query.get("continuation-token") or query.get("start-after", "")).removeprefix(area)
    first = int(after[:13].replace("-", ""), 16) - START + 1 if after.strip("~") else 0
    end = min(first + int(query["max-keys"]), objects)
    times = [f"{START + number:012x}" for number in range(first, end)]
    keys = [f"{area}{text[:8]}-{text[8:]}-{TAIL}{ending}" for text in times]
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{'0' * 32}&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys
    )
    token = f"<NextContinuationToken>{keys[-1]}</NextContinuationToken>" if end < objects else ""
    truncated = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
    return f"<ListBucketResult>{truncated}{token}{contents}</ListBucketResult>".encode()


if __name__ == "__main__":
    main()
