"""Decoding limits: a small file gets no more time than any picture of its size."""

import io
from collections.abc import Callable
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from imageapi.errors import TooComplexError
from imageapi.pictures import decode_limits
from imageapi.pictures.decode_limits import bounded
from imageapi.pictures.inspect import inspect as inspect_file
from PIL import ImageFile, TiffImagePlugin

from tests.support import hostile, pictures
from tests.unit.pictures.looks import inspect, refusal, render

ANIMATED = [name for name in pictures.ALL_GOOD if name.endswith(("_animated", "_pages"))]
TOO_COMPLEX = (422, "image_too_complex")


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
    """The CPU time, which stands still until somebody calls ``run_out``."""
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


@pytest.mark.parametrize("name", ANIMATED)
def test_the_time_is_over_after_the_first_frame(
    name: str, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ImageFile.ImageFile.load

    def load_and_wait(image: ImageFile.ImageFile) -> object:
        run_out(clock)
        return load(image)

    data = pictures.ALL_GOOD[name]()
    monkeypatch.setattr(ImageFile.ImageFile, "load", load_and_wait)
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
