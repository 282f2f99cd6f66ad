"""Writers for the mirrors: processes that change images and keys at the same time, and are killed anywhere.

A message on standard input is a line of JSON, a :class:`Burst`. A forked child does its operations on one
connection, as an execution environment of Lambda does. The response is ``{"statuses": [[operation, status],
…]}``, or ``{"killed": true}``.
"""

import importlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from imageapi.actor import ROOT as ROOT_KEY
from imageapi.actor import acting_as
from imageapi.analysis import analyze
from imageapi.analysis.gemini import Description
from imageapi.api_keys.check import Key
from imageapi.api_keys.manage import create_key, revoke_key
from imageapi.catalog import analyses, changes
from imageapi.database import db
from imageapi.errors import AppError
from imageapi.model.scopes import SCOPES
from imageapi.storage import clients
from PIL import Image

from tests.integration.client import upload_event
from tests.integration.lifecycle import KEY, delete_event, image_event, restore_event, trash_event
from tests.support import pictures
from tests.support.events import Event, as_manager, handle, load_handler, make_event
from tests.support.worker import Child, Hook
from tests.support.worker_main import STORES, Calls

WORDS = ("海", "harbour", "🌊", "", 'a "b" \\ c', "é" * 60)


class Burst(NamedTuple):
    """The work of one child.

    Attributes:
        ids: images that it may change; others may have removed them meanwhile.
        hook: the place where it kills itself, as :class:`Hook`; None: nowhere.
        kill_after: milliseconds after which it is killed; 0: never.
    """

    seed: int
    ids: list[str]
    operations: list[str]
    hook: list[Any] | None
    kill_after: float


class Writer(Child):
    """One such process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__("tests.faults.writers", environment=environment)

    def start(self, burst: Burst) -> None:
        self.write(json.dumps(burst).encode() + b"\n")


def revoke_event(image_id: str) -> Event:
    return make_event("POST", f"/api/images/{image_id}/links/revoke", KEY)


class Work:
    """The operations of one child: each returns a status of the API."""

    def __init__(self, burst: Burst) -> None:
        self._chance = random.Random(burst.seed)
        self._ids = list(burst.ids)

    def upload(self) -> int:
        number = self._chance.randrange(10**9)
        picture = pictures.jpeg(seed=number % 8) + str(number).encode()
        answer = handle(upload_event(picture, self._metadata()))
        if answer["statusCode"] == 201:
            self._ids.append(json.loads(answer["body"])["data"]["id"])
        return int(answer["statusCode"])

    def patch(self) -> int:
        metadata = self._metadata()
        fields = self._chance.sample(sorted(metadata), self._chance.randint(1, len(metadata)))
        values = {field: metadata[field] for field in fields}
        return self.send(lambda image_id: image_event("PATCH", image_id, values))

    def send(self, make: Callable[[str], Event]) -> int:
        """A request for one of the images."""
        return int(handle(make(self._some_id()))["statusCode"])

    def analyze(self) -> int:
        """As AnalyzeFunction, without Gemini."""
        taken = analyses.acquire_lease(self._some_id(), ["queued", "failed", "ready"])
        if not taken:
            return 409
        word = self._chance.choice(WORDS)
        description = Description(
            caption=word, tags=(word,) if word else (), text_seen="", safety={"adult": word}, model="model"
        )
        try:
            db.transaction(lambda cursor: analyze._save(cursor, taken, description))
        except AppError as error:
            return error.status
        return 200

    def key(self) -> int:
        with as_manager():
            made, _ = create_key({"name": "key", "scopes": ["images:read"]}, Key(ROOT_KEY, SCOPES))
            if self._chance.random() < 0.5:
                revoke_key(made["id"], None)
        return 200

    def number(self) -> int:
        """As a reader does before it reads."""
        changes.number_all()
        return 200

    def _some_id(self) -> str:
        return self._chance.choice(self._ids) if self._ids else "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"

    def _metadata(self) -> dict[str, Any]:
        words = [self._chance.choice(WORDS) for _ in range(4)]
        return {"title": words[0], "description": words[1], "category": words[2], "tags": words[3].split()}


OPERATIONS: dict[str, tuple[Callable[[Work], int], int]] = {
    "upload": (Work.upload, 3),
    "patch": (Work.patch, 8),
    "revoke": (lambda work: work.send(revoke_event), 2),
    "delete": (lambda work: work.send(delete_event), 2),
    "analyze": (Work.analyze, 3),
    "key": (Work.key, 1),
    "trash": (lambda work: work.send(trash_event), 2),
    "restore": (lambda work: work.send(restore_event), 2),
    "number": (Work.number, 8),
}
"""Each operation, and how often it is chosen."""


def work_on(burst: Burst) -> list[tuple[str, int]]:
    """Do a burst's operations in this process."""
    work, statuses = Work(burst), []
    with Calls(Hook(*burst.hook) if burst.hook else None).watch(STORES), acting_as(ROOT_KEY, "a request"):
        for name in burst.operations:
            try:
                statuses.append((name, OPERATIONS[name][0](work)))
            except AppError as error:
                statuses.append((name, error.status))
    return statuses


def serve(channel: int) -> None:
    for line in sys.stdin:
        burst = Burst(*json.loads(line))
        child = os.fork()
        if child == 0:
            answer = {"statuses": work_on(burst)}
            os.write(channel, json.dumps(answer).encode() + b"\n")
            os._exit(0)
        if burst.kill_after:
            time.sleep(burst.kill_after / 1000)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if status:
            os.write(channel, json.dumps({"killed": status == signal.SIGKILL}).encode() + b"\n")


def prepare() -> None:
    """Load all that children need, once."""
    for function in ("UploadFunction", "ImageFunction"):
        load_handler(function)
    for name in ("pybase64", "uuid_utils", "imageapi.storage.versions"):
        importlib.import_module(name)
    Image.init()
    clients.get_client()
    clients.get_connections()


if __name__ == "__main__":
    # The service logs to standard output, which is redirected to standard error; responses use a copy.
    answers = os.dup(1)
    os.dup2(2, 1)
    prepare()
    serve(answers)
