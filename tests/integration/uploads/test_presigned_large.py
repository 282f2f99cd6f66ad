"""The memory that the largest accepted file needs."""

import random
import re
from pathlib import Path

import psutil
from PIL import Image

from tests.integration.lifecycle import announce_and_post, complete, complete_event, fetch
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.answers import Answer

MEGABYTE = 1_000_000


def complete_in_fresh_process(stores: Stores, image_id: str) -> tuple[Answer, int]:
    """Complete an upload; also returns the peak memory until the image exists, in bytes."""
    with stores.paused_at(complete_event(image_id), "catalog.images.insert", "after") as process:
        child = max(psutil.Process(process._process.pid).children(), key=psutil.Process.create_time)
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
        return process.finish(), int(peak) * 1024


def test_100_megabytes_are_not_read_into_memory(stores: Stores) -> None:
    large = pictures.encode(Image.linear_gradient("L").resize((5773, 5773)).convert("RGB"), "TIFF")
    assert 99 * MEGABYTE < len(large) <= 100 * MEGABYTE
    large_id = announce_and_post(large, mime_type="image/tiff", filename="scan.tif")

    _, before = complete_in_fresh_process(stores, announce_and_post(pictures.png()))
    answer, after = complete_in_fresh_process(stores, large_id)

    # Another process decodes it. The file itself must not be in memory.
    assert after - before < 60 * MEGABYTE
    assert (answer.image["width"], answer.image["height"]) == (5773, 5773)
    assert fetch(answer.image["urls"]["original"]).data == large


def test_a_packed_tiff_larger_than_what_is_kept_in_memory(stores: Stores) -> None:
    # libtiff reads it through its descriptor.
    noise = Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12 * MEGABYTE))
    data = pictures.encode(noise, "TIFF", compression="packbits")
    assert len(data) > 12 * MEGABYTE

    image = complete(announce_and_post(data, mime_type="image/tiff")).image

    assert fetch(image["urls"]["original"]).data == data
    assert fetch(image["urls"]["thumbnail"], "image/jpeg").status == 200
