"""The memory that the largest accepted file needs."""

import json
import os
import random
import subprocess
import sys
from typing import Any

from PIL import Image

from tests.integration.lifecycle import announce_and_post, complete_event, fetch
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import ROOT

MEGABYTE = 1_000_000
# VmHWM is the peak memory of only this process. ru_maxrss includes its parent's.
CHILD = """
import json, sys
from tests.support.events import handle

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024

for event in json.load(sys.stdin):
    answer = handle(event)
    outcome = {"status": answer["statusCode"], "peak": peak(), "body": answer["body"]}
    print(json.dumps(outcome), file=sys.stderr)
"""


def complete_in_fresh_process(stores: Stores, *image_ids: str) -> list[dict[str, Any]]:
    """Complete uploads in turn; returns each image with ``peak``, the peak memory so far, in bytes."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "shared")])
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([complete_event(image_id) for image_id in image_ids]),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **stores.environment},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    outcomes = [json.loads(line) for line in child.stderr.splitlines()]
    assert [outcome["status"] for outcome in outcomes] == [201] * len(image_ids)
    return [{**json.loads(outcome["body"])["data"], "peak": outcome["peak"]} for outcome in outcomes]


def test_100_megabytes_do_not_need_200(stores: Stores) -> None:
    large = pictures.encode(Image.linear_gradient("L").resize((5773, 5773)).convert("RGB"), "TIFF")
    assert 99 * MEGABYTE < len(large) <= 100 * MEGABYTE
    small_id = announce_and_post(pictures.png())
    large_id = announce_and_post(large, mime_type="image/tiff", filename="scan.tif")

    before, after = complete_in_fresh_process(stores, small_id, large_id)

    # The decoded picture takes 133 MB, four bytes per pixel. The file itself must not be in memory.
    assert after["peak"] - before["peak"] < 160 * MEGABYTE
    assert (after["width"], after["height"]) == (5773, 5773)
    assert fetch(after["urls"]["original"]).data == large


def test_a_packed_tiff_larger_than_what_is_kept_in_memory(stores: Stores) -> None:
    # libtiff reads it through its descriptor.
    noise = Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12 * MEGABYTE))
    data = pictures.encode(noise, "TIFF", compression="packbits")
    assert len(data) > 12 * MEGABYTE

    (image,) = complete_in_fresh_process(stores, announce_and_post(data, mime_type="image/tiff"))

    assert fetch(image["urls"]["original"]).data == data
    assert fetch(image["urls"]["thumbnail"], "image/jpeg").status == 200
