"""What the decoder writes to its pipe: a line of JSON, then as many bytes as it says.

The function reads it without trust. Anything unexpected means that the file has broken the decoder.
"""

import json
import math
import re
from datetime import datetime
from typing import IO, Any

from imageapi.errors import AppError, TooComplexError, stored_error
from imageapi.model.picture import MAX_FRAMES, MAX_SIDE, Picture

MAX_LINE, MAX_MESSAGE = 16_384, 300
MAX_BYTES = 64 * 2**20
"""The largest variant: 16 megapixels of noise. An intermediate has at most 10 MB."""
_PLACEHOLDER = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/=]{1,4000}")
_EXIF_TEXTS = ("camera", "lens", "taken_at")
_EXIF_NUMBERS = ("exposure_time", "f_number", "iso", "focal_length", "orientation")
_REFUSALS = frozenset({"image_corrupt", "too_many_pixels", "too_many_frames", "unsupported_image_type"})


class DecoderError(Exception):
    """What happened in the decoder, as text for the log."""


def write(output: IO[bytes], facts: dict[str, Any], data: bytes) -> None:
    """Write one result."""
    output.write(json.dumps({**facts, "bytes": len(data)}).encode() + b"\n" + data)
    output.flush()


def write_error(output: IO[bytes], error: Exception) -> None:
    """Write an error as the result; one that is no AppError as ``internal_error``."""
    known = error if isinstance(error, AppError) else AppError()
    cause = repr(error.__cause__ if known is error else error)[:1_000]
    facts = {"error": known.code, "message": known.message, "details": known.details, "cause": cause}
    write(output, facts, b"")


def picture_facts(picture: Picture) -> dict[str, Any]:
    """A picture without its bytes, as JSON values for :func:`parse_picture`."""
    names = ("width", "height", "frames", "exif", "placeholder")
    return {name: getattr(picture, name) for name in names}


def read(source: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read one result.

    Raises:
        TooComplexError: the decoder died: it had no time or memory left, or crashed.
        AppError: the decoder's error.
    """
    line = source.readline(MAX_LINE)
    facts = _parse(line) if line.endswith(b"\n") else {}
    size = facts.get("bytes")
    if not isinstance(size, int) or not 0 <= size <= MAX_BYTES:
        raise TooComplexError
    data = source.read(size)
    if len(data) < size:
        raise TooComplexError
    if "error" in facts:
        raise _read_error(facts) from DecoderError(str(facts.get("cause")))
    return facts, data


def _parse(line: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _read_error(facts: dict[str, Any]) -> AppError:
    """The error; TooComplexError for one that no decoder should raise."""
    code, message, details = (facts.get(name) for name in ("error", "message", "details"))
    if code == AppError.code:
        return AppError()
    is_text = isinstance(message, str) and len(message) <= MAX_MESSAGE and message.isprintable()
    if not is_text or not isinstance(code, str) or code not in _REFUSALS:
        return TooComplexError()
    are_numbers = isinstance(details, dict) and all(isinstance(value, int) for value in details.values())
    return stored_error(code, str(message), details if are_numbers else None)


def parse_cpu_seconds(facts: dict[str, Any]) -> float:
    """The CPU time of the process so far. Infinite if it does not say so."""
    seconds = facts.get("cpu_seconds")
    return seconds if isinstance(seconds, float) and seconds > 0 else math.inf


def parse_picture(facts: dict[str, Any], intermediate: bytes) -> Picture:
    """The description of a picture.

    Raises:
        TooComplexError: it has another form.
    """
    try:
        width, height, frames = (int(facts[name]) for name in ("width", "height", "frames"))
        exif = {name: _exif_value(name, value) for name, value in facts["exif"].items()}
        placeholder = facts["placeholder"]
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and 0 < frames <= MAX_FRAMES):
            raise ValueError("size")
        if not _PLACEHOLDER.fullmatch(placeholder):
            raise ValueError("placeholder")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise TooComplexError from error
    return Picture(width, height, frames, exif, placeholder, intermediate or None)


def _exif_value(name: str, value: Any) -> str | int | float:
    """A checked EXIF value. Raises ValueError or TypeError."""
    if name in _EXIF_NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise ValueError(name)
        return value
    if name not in _EXIF_TEXTS or not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise ValueError(name)
    return datetime.fromisoformat(value).isoformat() if name == "taken_at" else value
