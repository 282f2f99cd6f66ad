"""examples/mirror and examples/webhook-receiver, as processes, against the running service."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from imageapi.changes.cursor import FEED, decode_position, encode_position
from standardwebhooks import Webhook

from local.servers.ports import free_port, is_port_free
from tests import ROOT
from tests.e2e.client import Api
from tests.integration.run import Run
from tests.support.events import API_KEY
from tests.support.http_client import fetch
from tests.support.pictures import jpeg
from tests.support.waiting import wait_until

MIRROR = ROOT / "examples" / "mirror" / "mirror.py"
RECEIVER = ROOT / "examples" / "webhook-receiver" / "app.py"
SECRETS = ("whsec_bmV3IHNlY3JldCBvZiB0aGUgcmVjZWl2ZXI=", "whsec_b2xkIHNlY3JldCBvZiB0aGUgcmVjZWl2ZXI=")
BODY = json.dumps({"type": "image.uploaded", "timestamp": "", "data": {"subject_id": "1"}})


@contextmanager
def started(example: Path, folder: Path, **variables: str) -> Iterator[Path]:
    """Run the example in the folder; yields the file with its output."""
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, example], cwd=folder, env=os.environ | variables, stdout=output, stderr=output
        )
    try:
        yield log
    finally:
        running = process.poll() is None
        process.kill()
        process.wait()
    assert running, log.read_text()


def query(path: Path, sql: str) -> list[Any]:
    """Query the database of an example; returns nothing before it exists."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def test_examples_have_at_most_60_lines_and_need_what_the_tests_have() -> None:
    for example in ROOT.glob("examples/*/*.py"):
        assert len(example.read_text(encoding="utf-8").splitlines()) <= 60, example
    locked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    for requirements in ROOT.glob("examples/*/requirements.txt"):
        for line in requirements.read_text().split():
            assert re.search(rf"(?m)^{re.escape(line.replace('~=', '=='))}\b", locked), requirements


@pytest.fixture
def category(api: Api) -> Iterator[str]:
    """A category whose images are deleted at the end."""
    name = f"mirror {uuid.uuid4().hex}"
    yield name
    for image in api.get("/api/images", {"category": name}).body["images"]:
        api.request("DELETE", f"/api/images/{image['id']}", query={"permanent": "true"})


def test_the_mirror_follows_all_changes(api: Api, category: str, tmp_path: Path) -> None:
    uploads = [
        api.upload(jpeg(seed=f"{category} {number}"), {"title": str(number), "category": category})
        for number in range(4)
    ]
    ids = [answer.image["id"] for answer in uploads]
    values = {"name": "mirror", "scopes": ["images:read"]}
    key = api.send("POST", "/api/keys", values).body["data"]
    variables = {"IMAGE_API_URL": api.base_url.rstrip("/"), "IMAGE_API_KEY": key["key"]}

    def mirrored() -> dict[str, Any]:
        images = [json.loads(text) for (text,) in query(tmp_path / "mirror.db", "SELECT image FROM images")]
        return {image["id"]: image for image in images if image["category"] == category}

    def listed() -> dict[str, Any]:
        page = api.get("/api/images", {"category": category}).body["images"]
        left_out = ("version", "urls", "variants", "placeholder", "duplicate_of")
        return {each["id"]: {name: each[name] for name in each if name not in left_out} for each in page}

    def is_equal() -> bool:
        return mirrored() == listed()

    with started(MIRROR, tmp_path, **variables):
        wait_until(is_equal)
        assert set(mirrored()) == set(ids)
        api.send("PATCH", f"/api/images/{ids[0]}", {"title": "Changed", "tags": ["new"]})
        api.request("DELETE", f"/api/images/{ids[1]}")
        api.upload(jpeg(seed=f"{category} more"), {"category": category})
        wait_until(is_equal)
        assert len(mirrored()) == 4
    # After a pause, the mirror continues at its stored cursor.
    api.request("POST", f"/api/images/{ids[1]}/restore")
    api.request("DELETE", f"/api/images/{ids[2]}", query={"permanent": "true"})
    with started(MIRROR, tmp_path, **variables):
        wait_until(is_equal)
        assert {ids[0], ids[1], ids[3]} < set(mirrored())
    api.request("DELETE", f"/api/keys/{key['id']}")


def of_another_database(cursor: str) -> str:
    """Change the time in the cursor, as after a restore of the database."""
    position = decode_position(cursor, FEED)
    return encode_position(position._replace(microseconds=position.microseconds + 1), FEED)


def test_the_mirror_reads_everything_again_after_410(api: Api, category: str, tmp_path: Path) -> None:
    image = api.upload(jpeg(seed=category), {"category": category}).image
    variables = {"IMAGE_API_URL": api.base_url.rstrip("/"), "IMAGE_API_KEY": api.key}
    cursor = api.get("/api/changes", {"cursor": "latest"}).body["next_cursor"]
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as db, db:
        db.execute("CREATE TABLE images (id TEXT PRIMARY KEY, image TEXT)")
        db.execute("INSERT INTO images VALUES ('gone', '{}')")
        db.execute("CREATE TABLE position (id INTEGER PRIMARY KEY, cursor TEXT)")
        db.execute("INSERT INTO position VALUES (1, ?)", (of_another_database(cursor),))

    with started(MIRROR, tmp_path, **variables) as log:
        ids = "SELECT id FROM images"
        wait_until(lambda: (image["id"],) in query(tmp_path / "mirror.db", ids))
        assert ("gone",) not in query(tmp_path / "mirror.db", ids)
        assert log.read_text().startswith("410 ")


@contextmanager
def receiving(folder: Path, port: int, secrets: str) -> Iterator[Path]:
    """Run the receiver on the port; yields the file with its output."""
    with started(RECEIVER, folder, WEBHOOK_SECRETS=secrets, PORT=str(port)) as log:
        wait_until(lambda: not is_port_free(port))
        yield log


def deliver(url: str, webhook_id: str, secret: str, *, body: str = BODY, age: int = 0) -> int:
    """Send a delivery; returns the status of the response."""
    sent_at = datetime.now(UTC) - timedelta(seconds=age)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, sent_at, BODY),
    }
    return fetch("POST", url, headers, body.encode()).status


def test_the_receiver_accepts_what_one_of_its_secrets_signed_lately(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with receiving(tmp_path, port, " ".join(SECRETS)) as log:
        start = time.monotonic()
        assert [deliver(url, f"id {number}", secret) for number, secret in enumerate(SECRETS)] == [204, 204]
        assert time.monotonic() - start < 5
        assert deliver(url, "id 0", SECRETS[0]) == 204  # repeated
        assert deliver(url, "id 2", f"whsec_{'A' * 40}") == 401
        assert deliver(url, "id 3", SECRETS[0], body=BODY + " ") == 401
        assert deliver(url, "id 4", SECRETS[0], age=301) == 401
        assert deliver(url, "id 5", SECRETS[0], age=-301) == 401
        assert fetch("POST", url, {}, BODY.encode()).status == 401
        wait_until(lambda: len(query(tmp_path / "inbox.db", "SELECT 1 FROM deliveries WHERE handled")) == 2)
        lines = [line for line in log.read_text().splitlines() if "HTTP" not in line]
    assert lines == ["image.uploaded 1"] * 2


def test_the_receiver_gets_what_the_service_sends(tmp_path: Path) -> None:
    """The test starts a service, because one elsewhere does not reach this machine."""
    variables = {"API_KEY": API_KEY, "WEBHOOK_ALLOW_PRIVATE": "true"}
    run = Run(tmp_path / "data", ROOT / "template.yaml", variables)
    try:
        api = Api(run.info["base_url"], API_KEY)
        port = free_port()
        values = {"url": f"http://127.0.0.1:{port}/", "types": ["image.uploaded"]}
        secret = api.send("POST", "/api/webhooks", values).body["data"]["secret"]
        with receiving(tmp_path, port, secret) as log:
            image = api.upload(jpeg()).image
            wait_until(lambda: f"image.uploaded {image['id']}" in log.read_text())
    finally:
        run.stop()
