"""Decoding limits: a small file gets no more time and memory than any picture of its size."""

import io
from collections.abc import Callable
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from imageapi.errors import AppError, TooComplexError, UnprocessableError
from imageapi.model.variant_names import Variant
from imageapi.pictures import decode_limits
from imageapi.pictures.decode_limits import bounded
from imageapi.pictures.identify import open_picture
from imageapi.pictures.inspect import Picture
from imageapi.pictures.inspect import inspect as inspect_file
from imageapi.pictures.render import render as render_file
from PIL import ImageFile, TiffImagePlugin

from tests.support import hostile, pictures
from tests.support.pictures import MAX_PIXELS

ANIMATED = [name for name in pictures.ALL_GOOD if name.endswith(("_animated", "_pages"))]


def inspect(data: bytes) -> Picture:
    return inspect_file(io.BytesIO(data), MAX_PIXELS)


def render(data: bytes) -> bytes:
    return render_file(io.BytesIO(data), Variant(320, False, "webp"), MAX_PIXELS)


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
    if code != "too_many_frames":  # a variant shows only the first page
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
        with bounded(io.BytesIO(data)) as reader:
            assert open_picture(reader, 250_000 * 5).format == "TIFF"
        assert inspect(data).frames == 1


@pytest.mark.parametrize("tile", [(0, 16), (16, 0)])
def test_tiles_without_a_size(tile: tuple[int, int]) -> None:
    assert refusal(inspect, hostile.tiff(tile=tile)) == "image_corrupt"


def test_the_most_scans() -> None:
    assert inspect(hostile.jpeg(decode_limits.MAX_SCANS)).width == 64
    assert refusal(inspect, hostile.jpeg(decode_limits.MAX_SCANS + 1)) == "image_too_complex"


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The CPU time, which stands still."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(decode_limits, "time", SimpleNamespace(process_time=lambda: clock.now))
    return clock


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
@pytest.mark.parametrize("use", [inspect, render])
def test_the_time_is_over_while_it_is_read(
    name: str, use: Callable[[bytes], object], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = decode_limits.LimitedReader.__init__

    def start_and_wait(*args: object) -> None:
        start(*args)  # type: ignore[arg-type]
        clock.now += decode_limits.MAX_SECONDS + 1

    monkeypatch.setattr(decode_limits.LimitedReader, "__init__", start_and_wait)
    assert refusal(use, pictures.ALL_GOOD[name]()) == "image_too_complex"


@pytest.mark.parametrize("name", ANIMATED)
def test_the_time_is_over_after_the_first_frame(
    name: str, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ImageFile.ImageFile.load

    def load_and_wait(image: ImageFile.ImageFile) -> object:
        clock.now += decode_limits.MAX_SECONDS + 1
        return load(image)

    data = pictures.ALL_GOOD[name]()
    monkeypatch.setattr(ImageFile.ImageFile, "load", load_and_wait)
    assert refusal(inspect, data) == "image_too_complex"
    if not name.startswith("tiff"):
        assert refusal(render, data) == "image_too_complex"


def test_tags_are_limited_once() -> None:
    decode_limits.limit_rational_tags()
    loaders = dict(TiffImagePlugin.ImageFileDirectory_v2._load_dispatch)
    decode_limits.limit_rational_tags()
    assert loaders == TiffImagePlugin.ImageFileDirectory_v2._load_dispatch


def read_too_late(reader: decode_limits.LimitedReader, clock: SimpleNamespace) -> None:
    clock.now += decode_limits.MAX_SECONDS + 1
    reader.read()


def test_only_what_is_sure_to_happen_again_is_final(clock: SimpleNamespace) -> None:
    with pytest.raises(TooComplexError) as scans:
        inspect(hostile.jpeg(decode_limits.MAX_SCANS + 1))
    with pytest.raises(TooComplexError) as memory, bounded(io.BytesIO()):
        raise MemoryError
    with pytest.raises(TooComplexError) as seconds, bounded(io.BytesIO()) as reader:
        read_too_late(reader, clock)
    assert [error.value.is_final for error in (scans, memory, seconds)] == [True, False, False]


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
def test_a_decode_that_is_cancelled_ends(name: str) -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(UnprocessableError) as caught:
        inspect_file(io.BytesIO(pictures.ALL_GOOD[name]()), MAX_PIXELS, cancelled)
    assert caught.value.code == "image_too_complex"


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
