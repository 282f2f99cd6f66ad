"""What a picture may cost: a small file gets no more time and memory than an honest one of its size."""

import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from imageapi import bounds, imaging, rendering
from imageapi.bounds import bounded
from imageapi.errors import AppError
from imageapi.variants import Variant
from PIL import ImageFile, TiffImagePlugin

from tests.support import hostile, pictures
from tests.support.pictures import MAX_PIXELS

ANIMATED = [name for name in pictures.ALL_GOOD if name.endswith(("_animated", "_pages"))]
linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system has /proc/self/statm")


def inspect(data: bytes) -> imaging.Picture:
    return imaging.inspect(io.BytesIO(data), MAX_PIXELS)


def render(data: bytes) -> bytes:
    return rendering.render(io.BytesIO(data), Variant(320, False, "webp"), MAX_PIXELS)


def refusal(use: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(AppError) as caught:
        use(data)
    assert caught.value.status == 422
    return caught.value.code


@pytest.mark.parametrize("name", hostile.BAD)
def test_hostile_pictures(name: str) -> None:
    make, _, code = hostile.BAD[name]
    data = make()
    assert len(data) < 70_000
    assert refusal(inspect, data) == code
    if code != "too_many_frames":  # a rendition shows the first page alone
        assert refusal(render, data) == code


@pytest.mark.parametrize("name", ["tiff_large_tile", "tiff_many_tiles"])
def test_tiles_are_bounded_before_anything_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", refuse)
    for use in (inspect, render):
        assert refusal(use, hostile.BAD[name][0]()) == "too_many_pixels"


def test_tiles_may_stand_over_the_edges() -> None:
    for data in (hostile.tiff((60, 60), (512, 512)), hostile.tiff((100, 70), (64, 64), tiles=4)):
        with bounded(io.BytesIO(data)) as watched:
            assert imaging.open_picture(watched, 250_000 * 5).format == "TIFF"
        assert inspect(data).frames == 1


@pytest.mark.parametrize("tile", [(0, 16), (16, 0)])
def test_tiles_without_a_size(tile: tuple[int, int]) -> None:
    assert refusal(inspect, hostile.tiff(tile=tile)) == "image_corrupt"


def test_the_most_scans() -> None:
    assert inspect(hostile.jpeg(bounds.MAX_SCANS)).width == 64
    assert refusal(inspect, hostile.jpeg(bounds.MAX_SCANS + 1)) == "image_too_complex"


def test_what_looks_like_scans_in_metadata_is_none() -> None:
    """Two bytes that come by chance, once in 64 KB."""
    block = b"\xff\xe4\xff\xff" + (b"\xff\xda\x12\x34" * 16_384)[:65_533]
    data = pictures.jpeg()
    assert inspect(data[:2] + block * 3 + data[2:]).frames == 1


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize(
    "data", [hostile.tiff(rationals=5_000), hostile.jpeg_with_rationals(5_000)], ids=["tiff", "exif"]
)
def test_numbers_that_nobody_asks_for_are_not_made(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(TiffImagePlugin.IFDRational):
        def __init__(self, value: float, denominator: int = 1) -> None:
            super().__init__(value, denominator)
            made.append(self)

    monkeypatch.setattr(TiffImagePlugin, "IFDRational", Counted)
    assert inspect(data).width == 64
    assert 0 < len(made) < 5_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The processor time, which stands still."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(bounds, "time", SimpleNamespace(process_time=lambda: clock.now))
    return clock


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
@pytest.mark.parametrize("use", [inspect, render])
def test_the_time_is_over_while_it_is_read(
    name: str, use: Callable[[bytes], object], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = bounds.Watched.__init__

    def watch_and_wait(*args: object) -> None:
        watch(*args)  # type: ignore[arg-type]
        clock.now += bounds.MAX_SECONDS + 1

    monkeypatch.setattr(bounds.Watched, "__init__", watch_and_wait)
    assert refusal(use, pictures.ALL_GOOD[name]()) == "image_too_complex"


@pytest.mark.parametrize("name", ANIMATED)
def test_the_time_is_over_after_the_first_frame(
    name: str, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ImageFile.ImageFile.load

    def load_and_wait(image: ImageFile.ImageFile) -> object:
        clock.now += bounds.MAX_SECONDS + 1
        return load(image)

    data = pictures.ALL_GOOD[name]()
    monkeypatch.setattr(ImageFile.ImageFile, "load", load_and_wait)
    assert refusal(inspect, data) == "image_too_complex"
    if not name.startswith("tiff"):
        assert refusal(render, data) == "image_too_complex"


@linux
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.png_bomb(9_000)
    assert inspect(data).width == 9_000
    monkeypatch.setattr(bounds, "MAX_MEMORY", 2**20)
    for use in (inspect, render):
        assert refusal(use, data) == "image_too_complex"


INSPECT_IN_10_MB = """
import sys
from imageapi import bounds, imaging
bounds.MAX_MEMORY = 10_000_000
try:
    imaging.inspect(open(sys.argv[1], "rb"), 100_000_000)
except imaging.UnprocessableError as error:
    print(error.code)
"""


@linux
def test_a_frame_larger_than_announced_is_limited(tmp_path: Path) -> None:
    """In a process that has made no other picture before: what was freed there could be used again."""
    file = tmp_path / "picture.avif"
    file.write_bytes(hostile.avif(4_000))
    command = [sys.executable, "-c", INSPECT_IN_10_MB, str(file)]
    environ = os.environ | {"PYTHONPATH": str(Path(bounds.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() in ("image_corrupt", "image_too_complex")


def test_a_lack_of_memory_is_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(imaging, "_make_placeholder", fail)
    monkeypatch.setattr(rendering, "_make_resizable", fail)
    for use in (inspect, render):
        assert refusal(use, pictures.jpeg()) == "image_too_complex"


@linux
def test_the_limit_of_memory_ends_with_the_last_decoder() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded(io.BytesIO()):
        limited = resource.getrlimit(resource.RLIMIT_AS)
        assert limited != before
        with pytest.raises(AppError), bounded(io.BytesIO()):
            raise MemoryError
        assert resource.getrlimit(resource.RLIMIT_AS) == limited
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@linux
def test_a_lower_limit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    lower = (1 << 40, before[1])
    monkeypatch.setattr(bounds, "MAX_MEMORY", 1 << 41)
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
    assert inspect(pictures.jpeg()).width == 64
