"""What decoding a picture may cost, whatever its header says: processor time, memory, scans.

A small file can hold another picture than its header announces (one large tile, a frame that does not fit
its container), or announce an honest one and take for ever (thousands of scans). Nothing here knows of
formats more than it must: the memory of the process is limited while a decoder is at work, and the file that
the decoder reads from stops answering when the time is over.
"""

import math
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Any

from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from imageapi.errors import UnprocessableError

MAX_SIDE = 65_535
"""The longest side, in pixels: what JPEG can hold."""

TILES_FACTOR = 2
"""The tiles of a TIFF may have this many times the pixels that it may have itself: they stand over its
edges.
"""

MAX_SECONDS = 12.0
"""Of processor time, of all threads. The heaviest still pictures that are accepted take a third of it."""
MAX_MEMORY = 880 * 2**20
"""Of addresses, beside what the process had before: the heaviest picture that is accepted takes 838 MB, and
with what a function has before, this much fits into 1,024.
"""
MAX_SCANS = 100
"""In a JPEG: progressive ones have about ten. A scan of twelve bytes goes through all pixels once more."""
MAX_RATIONALS = 1_000
"""Of a tag in a TIFF or in EXIF: more are not looked at. Three millions of them take half a minute."""

# How a scan begins: its marker, length and number of components. The marker alone comes by chance as well,
# once in 64 KB of metadata. (bytes.count is slower.)
_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
_TIFF_SIZES = (256, 257, 322, 323)  # ImageWidth, ImageLength, TileWidth, TileLength


def pixel_limit(image: Image.Image, max_pixels: int) -> int:
    """How many pixels this picture may have, so that any of them fits the memory of a function.

    JPEGs are decoded at an eighth and still PNGs in one copy, at 4 bytes a pixel or less; the other decoders
    hold several copies, up to 16 bytes a pixel (measured, see benchmarks/memory.py).
    """
    frugal = image.format in ("JPEG", "MPO") or (image.format == "PNG" and not is_animated(image))
    return max_pixels if frugal else max_pixels * 2 // 5


def check_frame(image: Image.Image, max_pixels: int) -> int:
    """How many pixels are decoded for the current frame. Those of a TIFF may be stored in tiles, which are
    decoded as a whole however little of them is seen.

    Raises:
        UnprocessableError: ``too_many_pixels``.
    """
    bound = pixel_limit(image, max_pixels)
    check_size(image.size, bound)
    pixels = image.width * image.height
    if not isinstance(image, TiffImageFile):
        return pixels
    sides = [image.tag_v2.get(tag) for tag in _TIFF_SIZES]
    width, height, tile_width, tile_height = (side if isinstance(side, int) else 0 for side in sides)
    if tile_width <= 0 or tile_height <= 0:
        return pixels
    check_size((tile_width, tile_height), bound)
    tiles = math.ceil(width / tile_width) * math.ceil(height / tile_height)
    pixels = max(pixels, tiles * tile_width * tile_height)
    if pixels > bound * TILES_FACTOR:
        raise too_many_pixels(bound)
    return pixels


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture that is larger than the service decodes.

    Raises:
        UnprocessableError: ``too_many_pixels``.
    """
    width, height = size
    if width * height > max_pixels or max(size) > MAX_SIDE:
        raise too_many_pixels(max_pixels, width=width, height=height)


def is_animated(image: Image.Image) -> bool:
    """Whether there is a frame, or a page, after the first."""
    return bool(getattr(image, "is_animated", False))


def too_many_pixels(max_pixels: int, **found: int) -> UnprocessableError:
    size = f"has {found['width']} x {found['height']} pixels" if found else "is too large"
    return UnprocessableError(
        f"The picture {size}; at most {max_pixels:,}, and {MAX_SIDE:,} on a side, are accepted.",
        code="too_many_pixels",
        details={**found, "max_pixels": max_pixels, "max_side": MAX_SIDE},
    )


class Watched:
    """A file that a decoder reads from, for as long as it may: else as the file itself.

    Raises:
        UnprocessableError: ``image_too_complex``, out of any ``read``.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._end = time.process_time() + MAX_SECONDS
        self._scans = 0
        source.seek(0)
        self._is_jpeg = source.read(3) == b"\xff\xd8\xff"
        source.seek(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Decoders ask again and again, for 64 KB of a JPEG, for each tag, for each frame."""
        self.check_time()
        data = self._source.read(size)
        if self._is_jpeg:
            self._scans += len(_SCAN.findall(data))
            if self._scans > MAX_SCANS:
                raise too_complex()
        return data

    def check_time(self) -> None:
        """For decoders that have read everything at once: to be asked before each frame."""
        if time.process_time() > self._end:
            raise too_complex()


@contextmanager
def bounded(source: IO[bytes]) -> Iterator[Watched]:
    """Decode within bounds: what is read from the given file, and what memory is taken meanwhile.

    Raises:
        UnprocessableError: ``image_too_complex``.
    """
    with _memory_limit:
        try:
            yield Watched(source)
        except MemoryError as error:
            raise too_complex() from error


def too_complex() -> UnprocessableError:
    """The error for a picture that takes more time or memory than any of its size should."""
    return UnprocessableError(
        "The picture takes more time or memory to decode than any is given.", code="image_too_complex"
    )


class _MemoryLimit:
    """A limit to the addresses of this process while at least one decoder is at work.

    Allocations beyond it fail, which Pillow and its codecs report as an error; without it, the kernel would
    end the process. Where the system knows no such limit, there is none.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._former: tuple[int, int] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._former = _limit_addresses(MAX_MEMORY)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._former:
                resource.setrlimit(resource.RLIMIT_AS, self._former)


_memory_limit = _MemoryLimit()


def _limit_addresses(more: int) -> tuple[int, int] | None:
    """Allow so many bytes beside those that are taken; returns the limits from before, None for no limit."""
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        lowest = min(limit for limit in (taken + more, soft, hard) if limit != resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
    except (OSError, ValueError):  # another system than Linux
        return None
    return soft, hard


def _load_few(load: Callable[..., Any]) -> Callable[..., Any]:
    """Pillow makes an object of each number, before anybody asks how many there are."""

    def load_few(directory: ImageFileDirectory_v2, data: bytes, legacy_api: bool = True) -> Any:
        return load(directory, data[: MAX_RATIONALS * 8], legacy_api)

    return load_few


for _type in (TiffTags.RATIONAL, TiffTags.SIGNED_RATIONAL):
    _size, _load = ImageFileDirectory_v2._load_dispatch[_type]
    ImageFileDirectory_v2._load_dispatch[_type] = (_size, _load_few(_load))
