"""Peak memory of uploads, compared with UploadFunction's memory on AWS."""

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.builds import Build
from benchmarks.figures import BenchmarkError, Figure
from benchmarks.handlers import make_upload_event
from benchmarks.pictures import HEAVY_PICTURES, encode_jpeg, make_photo
from benchmarks.servers import run_servers
from tests.support.templates import MAIN, read_template

NAME = "memory"
CHILD = Path(__file__).with_name("memory_child.py")
WIDTH, HEIGHT = 8660, 5774
PHOTO_BYTES = 4_300_000
UPLOADS = 2
"""Uploads per process. The second runs with the first one's leftovers in memory."""
PHOTO_GOAL = 0.8
HEAVY_GOAL = 0.9
"""The goal for pictures that fill memory. At 1, Lambda would end the process."""


def run(build: Build) -> list[Figure]:
    build.check()
    size = read_template(MAIN)["Resources"]["UploadFunction"]["Properties"]["MemorySize"]
    print(f"memory: of uploads, against UploadFunction's {size} MB", flush=True)
    photo = make_photo(WIDTH, HEIGHT)
    peaks = {}
    with run_servers() as environ, tempfile.TemporaryDirectory(prefix="image-api-bench-") as folder:
        uploads = Uploads(build, environ, Path(folder) / "event.json")
        for kind in ("baseline", "progressive"):
            picture = encode_jpeg(photo, PHOTO_BYTES, progressive=kind == "progressive")
            title = f"{kind} JPEG, {WIDTH * HEIGHT / 1e6:.0f} MP, {len(picture) / 1e6:.1f} MB"
            peaks[title] = (uploads.measure_peak(picture), PHOTO_GOAL)
        for kind in HEAVY_PICTURES:
            title, peak = uploads.measure_largest(kind)
            peaks[title] = (peak, HEAVY_GOAL)
    return [
        Figure(f"memory, {title}", peak, size, "MemorySize", "MB", goal)
        for title, (peak, goal) in peaks.items()
    ]


class Uploads:
    """Uploads in fresh processes of the built function."""

    def __init__(self, build: Build, environ: dict[str, str], event_file: Path) -> None:
        self._build = build
        self._environ = environ
        self._event_file = event_file

    def measure_peak(self, picture: bytes) -> float:
        """Peak memory in MB (2**20 bytes) for a picture that must be accepted."""
        result = self._upload(picture)
        if result["status"] != 201:
            raise BenchmarkError(f"an upload was answered with {result['status']}: {result['body']}")
        return float(result["peak"])

    def measure_largest(self, kind: str) -> tuple[str, float]:
        """The description and peak memory of the largest accepted picture of a kind.

        Starts at MAX_PIXELS. A refusal says how many pixels are accepted.
        """
        from imageapi.config.settings import load_settings

        pixels = load_settings(self._environ).max_pixels
        while True:
            side = int(pixels**0.5)
            picture = HEAVY_PICTURES[kind](side)
            result = self._upload(picture)
            if result["status"] == 201:
                title = f"{kind}, {side * side / 1e6:.0f} MP, {len(picture) / 1e6:.1f} MB"
                return title, float(result["peak"])
            accepted = json.loads(result["body"])["error"].get("details", {}).get("max_pixels", pixels)
            if accepted >= pixels:
                raise BenchmarkError(
                    f"a picture ({kind}) was answered with {result['status']}: {result['body']}"
                )
            pixels = accepted

    def _upload(self, picture: bytes) -> dict[str, Any]:
        event = make_upload_event(picture, "picture", "application/octet-stream")
        self._event_file.write_text(json.dumps(event))
        folders = (self._build.task("UploadFunction"), self._build.layer)
        result = self._build.run(CHILD, self._event_file, str(UPLOADS), *folders, environ=self._environ)
        return dict(result)
