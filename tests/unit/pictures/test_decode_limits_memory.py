"""Decoding with a limit on the process's memory."""

import errno
import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from imageapi.errors import AppError
from imageapi.pictures import decode_limits, resize
from imageapi.pictures.decode_limits import bounded

from tests.support import hostile, pictures
from tests.unit.pictures.looks import inspect, refusal, render

linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system has /proc/self/statm")

CORRUPT, TOO_COMPLEX = (422, "image_corrupt"), (422, "image_too_complex")
BROKEN = pictures.truncated(pictures.noisy("JPEG"))

ALONE = """
import sys
from imageapi.errors import UnprocessableError
from imageapi.model.variant_names import Variant
from imageapi.pictures import decode_limits, inspect, render
use, memory = sys.argv[1], int(sys.argv[2])
try:
    if use == "inspect":
        decode_limits.MAX_MEMORY = memory
        inspect.inspect(sys.stdin.buffer, 100_000_000)
    else:
        render.MAX_MEMORY = memory
        render.render(sys.stdin.buffer, Variant(320, False, "webp"), 100_000_000)
except UnprocessableError as error:
    print(error.code)
"""


def run_alone(data: bytes, memory: int, folder: Path, use: str = "inspect") -> str:
    """Inspect or render in a fresh process, which has no freed memory of another picture to reuse.

    Args:
        memory: the limit, in bytes.
        folder: for a file with the data.

    Returns:
        The code of the refusal, or an empty string.
    """
    environ = os.environ | {"PYTHONPATH": str(Path(decode_limits.__file__).parents[2])}
    command = [sys.executable, "-c", ALONE, use, str(memory)]
    file = folder / "picture"
    file.write_bytes(data)
    with file.open("rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, text=True, check=True, env=environ)
    return done.stdout.strip()


@linux
def test_memory_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.png_bomb(9_000)
    assert inspect(data).width == 9_000
    for use in ("inspect", "render"):
        assert run_alone(data, 2**20, tmp_path, use) == "image_too_complex"
    monkeypatch.setattr(decode_limits, "MAX_MEMORY", 2**20)
    assert render(data)  # has its own limit


@linux
def test_a_frame_larger_than_announced_is_limited(tmp_path: Path) -> None:
    code = run_alone(hostile.avif(4_000), 10_000_000, tmp_path)
    assert code in ("image_corrupt", "image_too_complex")


@linux
def test_memory_that_a_codec_cannot_get_does_not_make_the_picture_broken(tmp_path: Path) -> None:
    """libjpeg's allocation failure reaches Python as the same OSError as broken data."""
    data = pictures.jpeg(3_000, 2_000, mode="CMYK", progressive=True)  # 48 MB of coefficients
    assert run_alone(data, 20_000_000, tmp_path) == "image_too_complex"
    assert run_alone(data[:-1_000], 200_000_000, tmp_path) == "image_corrupt"
    assert run_alone(data, 200_000_000, tmp_path) == ""


def test_a_lack_of_memory_is_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("imageapi.pictures.inspect.make_placeholder", fail)
    monkeypatch.setattr(resize, "make_resizable", fail)
    for use in (inspect, render):
        assert refusal(use, pictures.jpeg()) == TOO_COMPLEX


@linux
@pytest.mark.parametrize("use", [inspect, render])
def test_memory_that_ran_out_before_does_not_count(
    use: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(_: int) -> None:
        decode_limits._errno().value = errno.ENOMEM

    monkeypatch.setattr(decode_limits, "_limit_addresses", run_out)
    assert refusal(use, BROKEN) == CORRUPT


@linux
def test_the_limit_of_memory_ends_with_the_decode() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded(io.BytesIO()):
        assert resource.getrlimit(resource.RLIMIT_AS) != before
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with pytest.raises(AppError), bounded(io.BytesIO()):
        raise MemoryError
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@linux
def test_a_lower_limit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    lower = (1 << 40, before[1])
    monkeypatch.setattr(decode_limits, "MAX_MEMORY", 1 << 41)
    resource.setrlimit(resource.RLIMIT_AS, lower)
    try:
        with bounded(io.BytesIO()):
            assert resource.getrlimit(resource.RLIMIT_AS) == lower
        assert resource.getrlimit(resource.RLIMIT_AS) == lower
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_another_system_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not here")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(decode_limits, "_errno_location", lambda: None)
    assert inspect(pictures.jpeg()).width == 64
    assert refusal(inspect, BROKEN) == CORRUPT
