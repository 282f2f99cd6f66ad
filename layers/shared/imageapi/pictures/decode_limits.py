"""Limits on decoding an image: CPU time, memory and scans. ``pixel_limits`` limits its size.

A header cannot be trusted: the data may contain more pixels than it declares, or repeat the same pixels
thousands of times. So every decode runs inside :func:`bounded`. It limits the memory of the process, and its
:class:`LimitedReader` raises an error when the CPU time is used up.
"""

import ctypes
import errno
import io
import os
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Event, RLock
from typing import IO, Any

from PIL import TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imageapi.errors import TooComplexError

MAX_SECONDS = 12.0
"""CPU time of the process during one decode, in seconds. The heaviest still images take a third of it."""
MAX_MEMORY = 880 * 2**20
"""Address space for one decode, in bytes, beyond the current use of the process. The heaviest accepted image
takes 769 MiB: a progressive CMYK JPEG of 100 megapixels. The total fits in UploadFunction's memory.
"""
MAX_SCANS = 100
"""Per JPEG. Progressive JPEGs have about ten. Each scan, even of 12 bytes, is a pass over all pixels."""
MAX_RATIONALS = 1_000
"""Rationals read per TIFF or EXIF tag; the rest are ignored. Three million take half a minute."""

# A scan begins with its marker, length and number of components. In metadata, the marker without them occurs
# by chance, once in 64 KB. (bytes.count is slower.)
_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")


class LimitedReader(io.BufferedReader):
    """A file for a decoder. ``read`` raises an error as soon as a limit is reached.

    Args:
        source: the file. It is read from its beginning and stays open.
        cancelled: set it to end the decode soon, if the result is no longer needed.

    Raises:
        TooComplexError: from any ``read``: too much CPU time, too many scans, or canceled.
    """

    def __init__(self, source: IO[bytes], cancelled: Event | None = None) -> None:
        # Decoders read one marker or tag at a time. With a buffer, limits are checked once per block.
        self._limited = _LimitedFile(source, cancelled)
        super().__init__(self._limited)

    def check_time(self) -> None:
        """Call this before each frame: some decoders read the whole file at once."""
        self._limited.check_time()


class _LimitedFile(io.RawIOBase):
    def __init__(self, source: IO[bytes], cancelled: Event | None) -> None:
        self._source = source
        self._cancelled = cancelled
        self._end = time.process_time() + MAX_SECONDS
        self._scans = 0
        source.seek(0)
        self._is_jpeg = source.read(3) == b"\xff\xd8\xff"
        source.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self.check_time()
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def readinto(self, buffer: Any, /) -> int:
        self.check_time()
        target = memoryview(buffer).cast("B")
        data = self._source.read(len(target))
        if self._is_jpeg:
            self._scans += len(_SCAN.findall(data))
            if self._scans > MAX_SCANS:
                raise TooComplexError(is_final=True)
        target[: len(data)] = data
        return len(data)

    def check_time(self) -> None:
        if time.process_time() > self._end or (self._cancelled and self._cancelled.is_set()):
            raise TooComplexError


# CPU time and memory are limited for the whole process, so concurrent decodes would share the limits.
_one_at_a_time = RLock()


@contextmanager
def bounded(
    source: IO[bytes], *, memory: int | None = None, cancelled: Event | None = None
) -> Iterator[LimitedReader]:
    """Decode within limits. A second decode in this process waits until the first has ended.

    Args:
        source: the file to decode.
        memory: address space beyond the current use of the process, in bytes; MAX_MEMORY by default.
        cancelled: as for :class:`LimitedReader`.

    Raises:
        TooComplexError: a limit was reached.
    """
    limit_rational_tags()
    with _one_at_a_time, _limited_memory(memory or MAX_MEMORY):
        try:
            yield LimitedReader(source, cancelled)
        except Exception as error:
            if isinstance(error, MemoryError) or is_out_of_memory():
                raise TooComplexError from error
            raise


@contextmanager
def _limited_memory(more: int) -> Iterator[None]:
    """Limit the address space of this process; only on Linux.

    An allocation beyond the limit then fails with an error. Without it, the kernel would kill the process.
    """
    former = _limit_addresses(more)
    _errno().value = 0
    try:
        yield
    finally:
        if former:
            resource.setrlimit(resource.RLIMIT_AS, former)


def _limit_addresses(more: int) -> tuple[int, int] | None:
    """Allow ``more`` bytes beyond those in use. Returns the previous limits; None if none can be set."""
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        lowest = min(limit for limit in (taken + more, soft, hard) if limit != resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
    except (OSError, ValueError):  # not Linux
        return None
    return soft, hard


def is_out_of_memory() -> bool:
    """Whether an allocation has failed. Call it right after an error: codecs report a broken image, and only
    errno shows the cause.
    """
    return _errno().value == errno.ENOMEM


def _errno() -> ctypes.c_int:
    """This thread's C errno; 0 if it cannot be read."""
    locate = _errno_location()
    return locate().contents if locate else ctypes.c_int(0)


@cache
def _errno_location() -> "Callable[[], ctypes._Pointer[ctypes.c_int]] | None":
    try:
        locate = ctypes.CDLL(None).__errno_location
    except AttributeError:  # not Linux
        return None
    locate.restype = ctypes.POINTER(ctypes.c_int)
    return locate


@cache
def limit_rational_tags() -> None:
    """Limit Pillow to MAX_RATIONALS rationals of a tag; further calls do nothing.

    Pillow creates an object per rational when it reads a tag, without a limit. Its table of loaders is
    private: checked with Pillow 13.0.0.
    """
    loaders = ImageFileDirectory_v2._load_dispatch
    for kind in (TiffTags.RATIONAL, TiffTags.SIGNED_RATIONAL):
        size, load = loaders[kind]
        loaders[kind] = (size, _load_few(load))


def _load_few(load: Callable[..., Any]) -> Callable[..., Any]:
    def load_few(directory: ImageFileDirectory_v2, data: bytes, legacy_api: bool = True) -> Any:
        return load(directory, data[: MAX_RATIONALS * 8], legacy_api)

    return load_few
