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
from tests.unit.pictures.test_decode_limits import inspect, refusal, render

linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system has /proc/self/statm")


@linux
def test_memory_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.png_bomb(9_000)
    assert inspect(data).width == 9_000
    assert inspect_alone(data, tmp_path / "picture.png", 2**20) == "image_too_complex"
    assert inspect_alone(data, tmp_path / "picture.png", 2**20, RENDER) == "image_too_complex"
    monkeypatch.setattr(decode_limits, "MAX_MEMORY", 2**20)
    assert render(data)  # has its own limit


INSPECT = """
import sys
from imageapi.errors import UnprocessableError
from imageapi.pictures import decode_limits
from imageapi.pictures.inspect import inspect
decode_limits.MAX_MEMORY = int(sys.argv[2])
try:
    inspect(open(sys.argv[1], "rb"), 100_000_000)
except UnprocessableError as error:
    print(error.code)
"""

RENDER = """
import sys
from imageapi.errors import UnprocessableError
from imageapi.model.variant_names import Variant
from imageapi.pictures import render
render.MAX_MEMORY = int(sys.argv[2])
try:
    render.render(open(sys.argv[1], "rb"), Variant(320, False, "webp"), 100_000_000)
except UnprocessableError as error:
    print(error.code)
"""


def inspect_alone(data: bytes, file: Path, memory: int, script: str = INSPECT) -> str:
    """Inspect or render in a fresh process, which has no freed memory of another picture to reuse.

    Args:
        file: where to put the data.
        memory: the limit, in bytes.
        script: INSPECT or RENDER.

    Returns:
        The code of the refusal, or an empty string.
    """
    file.write_bytes(data)
    command = [sys.executable, "-c", script, str(file), str(memory)]
    environ = os.environ | {"PYTHONPATH": str(Path(decode_limits.__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return done.stdout.strip()


@linux
def test_a_frame_larger_than_announced_is_limited(tmp_path: Path) -> None:
    code = inspect_alone(hostile.avif(4_000), tmp_path / "picture.avif", 10_000_000)
    assert code in ("image_corrupt", "image_too_complex")


@linux
def test_memory_that_a_codec_cannot_get_does_not_make_the_picture_broken(tmp_path: Path) -> None:
    """libjpeg's allocation failure reaches Python as the same OSError as broken data."""
    data = pictures.jpeg(3_000, 2_000, mode="CMYK", progressive=True)  # 48 MB of coefficients
    assert inspect_alone(data, tmp_path / "picture.jpg", 20_000_000) == "image_too_complex"
    assert inspect_alone(data[:-1_000], tmp_path / "picture.jpg", 200_000_000) == "image_corrupt"
    assert inspect_alone(data, tmp_path / "picture.jpg", 200_000_000) == ""


def test_a_lack_of_memory_is_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("imageapi.pictures.inspect.make_placeholder", fail)
    monkeypatch.setattr(resize, "make_resizable", fail)
    for use in (inspect, render):
        assert refusal(use, pictures.jpeg()) == "image_too_complex"


@linux
@pytest.mark.parametrize("use", [inspect, render])
def test_memory_that_ran_out_before_does_not_count(
    use: Callable[[bytes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(_: int) -> None:
        decode_limits._errno().value = errno.ENOMEM

    monkeypatch.setattr(decode_limits, "_limit_addresses", run_out)
    broken = pictures.truncated(pictures.noisy("JPEG"))
    assert refusal(use, broken) == "image_corrupt"


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
    assert refusal(inspect, pictures.truncated(pictures.noisy("JPEG"))) == "image_corrupt"
