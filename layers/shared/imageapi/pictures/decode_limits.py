"""Limits to what decoding a picture may take: CPU time, memory, scans. See pixel_limits for its size.

The header of a file cannot be trusted: the data may hold more pixels than it announces, or repeat the same
ones thousands of times. So every decode runs inside :func:`bounded`, which limits the memory of the process,
and hands the decoder a :class:`LimitedReader`, whose ``read`` fails when the CPU time is used up.
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
"""CPU time of the process, in seconds. The heaviest still pictures that are accepted take a third of it."""
MAX_MEMORY = 880 * 2**20
"""Address space for one decode, in bytes, beside what the process has already. The heaviest picture that is
accepted takes 769 MiB (a progressive CMYK JPEG of 100 megapixels); the rest is reserve. Both together fit
into the 1,024 MB of UploadFunction.
"""
MAX_SCANS = 100
"""In a JPEG. Progressive ones have about ten; a scan of twelve bytes makes the decoder go through all pixels
once more.
"""
MAX_RATIONALS = 1_000
"""Of one tag in a TIFF or in EXIF: more are not read. Three million of them take half a minute."""

# A scan begins with its marker, length and number of components. The marker alone also comes by chance, once
# in 64 KB of metadata. (bytes.count is slower.)
_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")


class LimitedReader(io.BufferedReader):
    """A file that a decoder reads from; ``read`` fails as soon as a limit is reached.

    Args:
        source: the file; it is read from its beginning, and stays open.
        cancelled: when it is set, the result is not wanted any more and the decode is to end soon.

    Raises:
        TooComplexError: out of any ``read``: too much CPU time, too many scans, or cancelled.
    """

    def __init__(self, source: IO[bytes], cancelled: Event | None = None) -> None:
        # Decoders read a marker or a tag at a time; the limits are looked at once for each block.
        self._limited = _LimitedFile(source, cancelled)
        super().__init__(self._limited)

    def check_time(self) -> None:
        """To be called before each frame: some decoders read the whole file at once."""
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


# CPU time and memory can be limited only for the whole process: two decodes at once would pay for each other.
_one_at_a_time = RLock()


@contextmanager
def bounded(
    source: IO[bytes], *, memory: int | None = None, cancelled: Event | None = None
) -> Iterator[LimitedReader]:
    """Decode within limits; a second decode in this process waits until the first has ended.

    Args:
        source: the file to decode.
        memory: bytes of address space beside what the process has already; MAX_MEMORY when not given.
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
    """Limit the address space of this process, so that an allocation beyond it fails.

    Pillow and its codecs turn that into an error. Without a limit the kernel would end the process. Systems
    other than Linux have no such limit.
    """
    former = _limit_addresses(more)
    _errno().value = 0
    try:
        yield
    finally:
        if former:
            resource.setrlimit(resource.RLIMIT_AS, former)


def _limit_addresses(more: int) -> tuple[int, int] | None:
    """Allow ``more`` bytes on top of those in use. Returns the previous limits; None if none can be set."""
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        lowest = min(limit for limit in (taken + more, soft, hard) if limit != resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
    except (OSError, ValueError):  # another system than Linux
        return None
    return soft, hard


def is_out_of_memory() -> bool:
    """Whether an allocation has failed; to be asked just after an error. Codecs report it as a broken
    picture: only errno tells that it was one.
    """
    return _errno().value == errno.ENOMEM


def _errno() -> ctypes.c_int:
    """The C library's errno of this thread; always 0 where it cannot be read."""
    locate = _errno_location()
    return locate().contents if locate else ctypes.c_int(0)


@cache
def _errno_location() -> "Callable[[], ctypes._Pointer[ctypes.c_int]] | None":
    try:
        locate = ctypes.CDLL(None).__errno_location
    except AttributeError:  # another system than Linux
        return None
    locate.restype = ctypes.POINTER(ctypes.c_int)
    return locate


@cache
def limit_rational_tags() -> None:
    """Let Pillow read no more than MAX_RATIONALS numbers of a tag; further calls do nothing.

    Pillow makes an object of each number as soon as a tag is read, and has no setting for it. Its table of
    loaders is private: checked with Pillow 13.0.0.
    """
    loaders = ImageFileDirectory_v2._load_dispatch
    for kind in (TiffTags.RATIONAL, TiffTags.SIGNED_RATIONAL):
        size, load = loaders[kind]
        loaders[kind] = (size, _load_few(load))


def _load_few(load: Callable[..., Any]) -> Callable[..., Any]:
    def load_few(directory: ImageFileDirectory_v2, data: bytes, legacy_api: bool = True) -> Any:
        return load(directory, data[: MAX_RATIONALS * 8], legacy_api)

    return load_few
