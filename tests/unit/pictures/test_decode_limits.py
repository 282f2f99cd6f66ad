"""Decoding limits: a small file gets no more time and memory than any picture of its size."""

import errno
import io
import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from imageapi.errors import AppError, TooComplexError
from imageapi.pictures import decode_limits, resize
from imageapi.pictures import render as rendering
from imageapi.pictures.decode_limits import bounded
from imageapi.pictures.inspect import inspect as inspect_file
from PIL import ImageFile, TiffImagePlugin

from tests.support import hostile, pictures
from tests.unit.pictures.looks import inspect, refusal, render

ANIMATED = [name for name in pictures.ALL_GOOD if name.endswith(("_animated", "_pages"))]
CORRUPT, TOO_COMPLEX = (422, "image_corrupt"), (422, "image_too_complex")
BROKEN = pictures.truncated_noise("JPEG")
linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system has /proc/self/statm")


def test_the_most_scans() -> None:
    assert inspect(hostile.jpeg(decode_limits.MAX_SCANS)).width == 64
    assert refusal(inspect, hostile.jpeg(decode_limits.MAX_SCANS + 1)) == TOO_COMPLEX


def test_what_looks_like_scans_in_metadata_is_none() -> None:
    """The marker's two bytes occur by chance once in 64 KB."""
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


def test_tags_are_limited_once() -> None:
    decode_limits.limit_rational_tags()
    loaders = dict(TiffImagePlugin.ImageFileDirectory_v2._load_dispatch)
    decode_limits.limit_rational_tags()
    assert loaders == TiffImagePlugin.ImageFileDirectory_v2._load_dispatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The CPU time, which stands still until ``run_out`` is called."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(decode_limits, "time", SimpleNamespace(process_time=lambda: clock.now))
    return clock


def run_out(clock: SimpleNamespace) -> None:
    clock.now += decode_limits.MAX_SECONDS + 1


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
@pytest.mark.parametrize("use", [inspect, render])
def test_the_time_is_over_while_it_is_read(
    name: str, use: Callable[[bytes], object], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = decode_limits.LimitedReader.__init__

    def start_and_wait(*args: object) -> None:
        start(*args)  # type: ignore[arg-type]
        run_out(clock)

    monkeypatch.setattr(decode_limits.LimitedReader, "__init__", start_and_wait)
    assert refusal(use, pictures.ALL_GOOD[name]()) == TOO_COMPLEX


@pytest.mark.parametrize("name", [*ANIMATED, "png"])
def test_the_time_is_over_after_the_first_frame(
    name: str, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ImageFile.ImageFile.load

    def load_and_wait(image: ImageFile.ImageFile) -> object:
        run_out(clock)
        return load(image)

    data = pictures.ALL_GOOD[name]()
    monkeypatch.setattr(ImageFile.ImageFile, "load", load_and_wait)
    if name != "png":  # nothing is decoded after the only frame
        assert refusal(inspect, data) == TOO_COMPLEX
    if name != "tiff_pages":  # a variant shows only the first page
        assert refusal(render, data) == TOO_COMPLEX


def test_only_what_is_sure_to_happen_again_is_final(clock: SimpleNamespace) -> None:
    with pytest.raises(TooComplexError) as scans:
        inspect(hostile.jpeg(decode_limits.MAX_SCANS + 1))
    with pytest.raises(TooComplexError) as memory, bounded(io.BytesIO()):
        raise MemoryError
    with bounded(io.BytesIO()) as reader:
        run_out(clock)
        with pytest.raises(TooComplexError) as seconds:
            reader.read()
    assert [error.value.is_final for error in (scans, memory, seconds)] == [True, False, False]


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
def test_a_decode_that_is_cancelled_ends(name: str) -> None:
    cancelled = Event()
    cancelled.set()
    source = io.BytesIO(pictures.ALL_GOOD[name]())
    assert refusal(inspect_file, source, pictures.MAX_PIXELS, cancelled) == TOO_COMPLEX


def test_decodes_take_turns() -> None:
    """Otherwise two decodes would share one allowance of time and memory."""
    order: list[str] = []

    def decode() -> None:
        with bounded(io.BytesIO()):
            order.append("second begins")

    other = Thread(target=decode)
    with bounded(io.BytesIO()):
        order.append("first begins")
        other.start()
        other.join(0.1)  # enough to begin, if nothing stopped it
        order.append("first ends")
    other.join()
    assert order == ["first begins", "first ends", "second begins"]


def find_code(use: Callable[[bytes], object], data: bytes, memory: int) -> str:
    decode_limits.MAX_MEMORY = rendering.MAX_MEMORY = memory
    try:
        use(data)
    except AppError as error:
        return error.code
    return ""


def run_alone(use: Callable[[bytes], object], data: bytes, memory: int) -> str:
    """The code of the refusal, if any, with a limit of memory in bytes.

    In a fresh process, which has no freed memory of another picture to reuse.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(find_code, use, data, memory).result()


@linux
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.png_bomb(9_000)
    assert inspect(data).width == 9_000
    for use in (inspect, render):
        assert run_alone(use, data, 2**20) == "image_too_complex"
    monkeypatch.setattr(decode_limits, "MAX_MEMORY", 2**20)
    assert render(data)  # has its own limit


@linux
def test_a_frame_larger_than_announced_is_limited() -> None:
    code = run_alone(inspect, hostile.avif(4_000), 10_000_000)
    assert code in ("image_corrupt", "image_too_complex")


@linux
def test_memory_that_a_codec_cannot_get_does_not_make_the_picture_broken() -> None:
    """libjpeg's allocation failure reaches Python as the same OSError as broken data."""
    data = pictures.jpeg(3_000, 2_000, mode="CMYK", progressive=True)  # 48 MB of coefficients
    assert run_alone(inspect, data, 20_000_000) == "image_too_complex"
    assert run_alone(inspect, data[:-1_000], 200_000_000) == "image_corrupt"
    assert run_alone(inspect, data, 200_000_000) == ""


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
    with pytest.raises(TooComplexError), bounded(io.BytesIO()):
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
