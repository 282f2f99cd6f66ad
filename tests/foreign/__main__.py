"""python -m tests.foreign FOLDER: upload each file of a folder, and see that it is stored whole or refused.

Meant for other people's files: pictures, test images of decoders, crash reproducers, any kind. The stores
are real. An accepted file comes back byte for byte, with a thumbnail of its shape; a refused one gets a
documented code and leaves neither row nor object. A 5xx, a crash, and an answer later than the function's
Timeout are wrong.
"""

import argparse
import io
import sys
from collections import Counter
from pathlib import Path
from threading import Timer

from imageapi.config.settings import MAX_DIRECT_FILE_BYTES
from imageapi.uploads.complete import MAX_ATTEMPTS
from PIL import ExifTags, Image

from local.gateway.template import read_template
from tests import ROOT
from tests.integration.client import upload_event
from tests.integration.lifecycle import announce_event, complete_event, deliver_event, post_file
from tests.integration.stores import Stores, launched
from tests.support.answers import Answer, parse
from tests.support.events import Event, load_routes
from tests.support.http_client import fetch
from tests.support.openapi import find_codes
from tests.support.postgres import turn_fsync_off
from tests.support.worker import Worker, worker

SWAPS_SIDES = (5, 6, 7, 8)
"""EXIF orientations that turn the picture by a quarter."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.foreign")
    parser.add_argument("folder", type=Path, help="with the files, at any depth")
    paths = sorted(path for path in parser.parse_args().folder.rglob("*") if path.is_file())
    with launched("foreign-") as stores, worker(stores.environment) as process:
        turn_fsync_off(stores.postgres)
        run = Run(stores, process)
        for number, path in enumerate(paths, 1):
            print(f"{number} of {len(paths)} {str(path)!r} {run.check(path)}", flush=True)
    for outcome, count in run.outcomes.most_common():
        print(f"{count:6} {outcome}")
    return 1 if run.outcomes["WRONG"] else 0


class Run:
    """Uploads files, one after the other, each to empty stores.

    Attributes:
        outcomes: how many files had each outcome; ``WRONG`` if something did not hold.
    """

    def __init__(self, stores: Stores, process: Worker) -> None:
        self.outcomes: Counter[str] = Counter()
        self._stores, self._worker = stores, process
        self._functions = read_template(ROOT / "template.yaml").functions

    def check(self, path: Path) -> str:
        """Upload one file; returns the outcome: accepted, the code that refuses it, or what is wrong."""
        self._stores.clear()
        try:
            outcome = self._check(path.read_bytes(), path.name)
        except Exception as error:  # a check fails, or reading what was answered
            self.outcomes["WRONG"] += 1
            return f"WRONG: {error!r}"
        self.outcomes[outcome] += 1
        return outcome

    def _check(self, data: bytes, name: str) -> str:
        is_large = len(data) > MAX_DIRECT_FILE_BYTES
        answer = self._announce(data, name) if is_large else self._send(upload_event(data, filename=name))
        if answer.status != 201:
            # The row of a refused announcement stays until it expires: a retry gets the same answer.
            assert not self._stores.keys(), "objects are left"
            assert set(self._stores.statuses()) <= ({"failed"} if is_large else set()), "rows are left"
            return f"refused: {answer.status} {answer.code}"
        assert self._follow(answer.image["urls"]["original"]) == data, "other bytes come back"
        thumbnail = self._follow(answer.image["urls"]["thumbnail"])
        if isinstance(thumbnail, str):
            return f"accepted, without a thumbnail: {thumbnail}"
        check_shape(data, thumbnail)
        return f"accepted: {answer.image['mime_type']}"

    def _announce(self, data: bytes, name: str) -> Answer:
        """Announce a large file, post it to the store and complete the upload."""
        announced = self._send(announce_event(data, filename=name, mime_type=None))
        if announced.status != 201:
            return announced
        assert post_file(announced.body["data"]["form"], data) == 204
        for _ in range(MAX_ATTEMPTS + 1):
            answer = self._send(complete_event(announced.body["data"]["id"]))
            if answer.status == 201 or answer.code != "image_too_complex":
                break  # otherwise the file may be kept for another attempt
        return answer

    def _follow(self, url: str) -> bytes | str:
        """What a link leads to, or the code that refuses it."""
        answer = self._send(deliver_event(url))
        if answer.status != 302:
            return answer.code
        found = fetch("GET", answer.headers["location"][0])
        assert found.status == 200, f"the store answers {found.status}"
        return found.data

    def _send(self, event: Event) -> Answer:
        """A documented answer to the event, within its function's Timeout."""
        function = load_routes()[event["resource"]]
        timer = Timer(self._functions[function].timeout, self._worker.kill)
        self._worker.send(event)
        timer.start()
        message = self._worker.read()
        timer.cancel()
        assert "ended" not in message, f"{function} crashed, or took longer than its Timeout: {message}"
        assert self._worker.read() == {"ended": 0}
        assert "response" in message, f"{function}: {message}"
        answer = parse(message["response"])
        codes = find_codes(event["httpMethod"].lower(), event["resource"]) or ()
        documented = answer.status < 400 or (answer.status < 500 and answer.code in codes)
        assert documented, f"{function}: {answer.status} {answer.body}"
        return answer


def check_shape(data: bytes, thumbnail: bytes) -> None:
    """The thumbnail decodes, and has the proportions of the upright picture, to half a pixel."""
    with Image.open(io.BytesIO(data)) as original, Image.open(io.BytesIO(thumbnail)) as small:
        small.load()
        original.load()  # turns a TIFF upright, and removes its orientation
        turned = original.getexif().get(ExifTags.Base.Orientation) in SWAPS_SIDES
        width, height = original.size[::-1] if turned else original.size
        off = abs(small.width * height - small.height * width)
        assert min(small.size) == 1 or off <= (width + height) / 2, f"{small.size} of {width, height}"


if __name__ == "__main__":
    sys.exit(main())
