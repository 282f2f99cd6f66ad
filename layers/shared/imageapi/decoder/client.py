"""Send files to the decoder's process. This module never loads Pillow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from imageapi.decoder import results
from imageapi.decoder.forks import Fork, Process, get_process, take_fork
from imageapi.errors import AppError, TooComplexError
from imageapi.model.image_formats import HEAD_BYTES, find_kind
from imageapi.model.picture import Picture
from imageapi.model.variant_names import Size, Variant
from imageapi.telemetry.logs import get_logger

REUSED_FOR = frozenset({"JPEG", "PNG", "GIF", "WEBP", "BMP"})
"""A fork that has decoded one of these without an error decodes another file. A fork for each file would make
an upload of 300 KB take a third longer.
"""


def start(operation: str) -> None:
    """Start the decoder's process for ``inspect`` or ``render``, so that the first request finds it ready."""
    process = get_process(operation)
    process.give_back(process.take(), is_reusable=True)


class _Decoding:
    """A file in the decoder.

    Attributes:
        kind: known from its first bytes.
    """

    def __init__(self, operation: str, source: IO[bytes], **arguments: Any) -> None:
        source.seek(0)
        self.kind = find_kind(source.read(HEAD_BYTES))
        self._operation, self._source, self._arguments = operation, source, arguments
        self._send(Process.take)

    def _send(self, take: Callable[[Process], Fork]) -> None:
        self._process, self._fork = take_fork(self._operation, take)
        try:
            self._fork.send(self._source, self._arguments)
        except BaseException:
            self._fork.end()
            raise

    def read(self) -> tuple[dict[str, Any], bytes]:
        """The result. If this file may not be the cause of a failure, a new fork decodes it again."""
        try:
            return self._read()
        except TooComplexError:
            if not self._fork.is_used and not self._process.has_ended(wait_seconds=0.1):
                raise
        self._fork.end()
        self._send(Process.fork)
        try:
            return self._read()
        except TooComplexError as error:
            if self._process.has_ended(wait_seconds=0.1):
                raise AppError from error
            raise

    def _read(self) -> tuple[dict[str, Any], bytes]:
        try:
            return self._fork.read()
        except TooComplexError as error:
            facts = {"format": self.kind.format, "files": self._fork.files}
            get_logger().warning("the decoder gave up", extra=facts, exc_info=error)
            raise

    def end(self) -> None:
        """Kill the fork, unless it may decode another file."""
        self._process.give_back(self._fork, is_reusable=self.kind.format in REUSED_FOR)


class Inspection(_Decoding):
    """A file that the decoder is inspecting."""

    def wait(self) -> Picture:
        """Wait until the whole file is decoded. Raises errors as :func:`inspecting`."""
        return results.parse_picture(*self.read())


@contextmanager
def inspecting(source: IO[bytes], max_pixels: int) -> Iterator[Inspection]:
    """Decode a file while the block runs. Leaving the block ends the decoder.

    Raises:
        UnsupportedMediaTypeError: it is not an image of a supported type.
        UnprocessableError: it is broken (``image_corrupt``), too large (``too_many_pixels``,
            ``too_many_frames``), or needs too much time or memory (``image_too_complex``).
    """
    inspection = Inspection("inspect", source, max_pixels=max_pixels)
    try:
        yield inspection
    finally:
        inspection.end()


def render(source: IO[bytes], variant: Variant, max_pixels: int, size: Size | None = None) -> bytes:
    """Render a variant; arguments and errors as for ``pictures.render.render``."""
    name = (variant.width, variant.cover, variant.extension)
    decoding = _Decoding("render", source, max_pixels=max_pixels, variant=name, size=size)
    try:
        return decoding.read()[1]
    finally:
        decoding.end()
