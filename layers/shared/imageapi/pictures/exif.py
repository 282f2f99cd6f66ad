"""The EXIF fields that the API returns: without GPS position and serial numbers."""

import re
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from imageapi.pictures.orientation import read_orientation

_NUMBERS = {
    "exposure_time": ExifTags.Base.ExposureTime,
    "f_number": ExifTags.Base.FNumber,
    "iso": ExifTags.Base.ISOSpeedRatings,
    "focal_length": ExifTags.Base.FocalLength,
}


def read_exif(image: Image.Image) -> dict[str, Any]:
    """The EXIF fields listed in ``inspect.Picture``. If they are unreadable, at most the orientation."""
    orientation = read_orientation(image)
    try:
        base = image.getexif()
        details = base.get_ifd(ExifTags.IFD.Exif)
        make, model = _text(base.get(ExifTags.Base.Make)), _text(base.get(ExifTags.Base.Model))
        moment = details.get(ExifTags.Base.DateTimeOriginal)
        offset = details.get(ExifTags.Base.OffsetTimeOriginal)
        numbers = {name: _number(details.get(tag)) for name, tag in _NUMBERS.items()}
        lens = _text(details.get(ExifTags.Base.LensModel))
    except Exception:  # unreadable EXIF must not refuse a readable image
        return {"orientation": orientation} if orientation else {}
    named_twice = make is None or (model or "").startswith(make)
    facts: dict[str, Any] = {
        "camera": model if named_twice else _text(f"{make} {model or ''}"),
        "taken_at": _taken_at(_text(moment) or "", _text(offset) or ""),
        "orientation": orientation,
        "lens": lens,
        **numbers,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _text(value: Any) -> str | None:
    """Printable text of at most 200 characters: cameras pad with NUL, which PostgreSQL rejects."""
    if not isinstance(value, str):
        return None
    clean = "".join(c for c in value if c.isprintable()).strip()
    return clean[:200] or None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return round(number, 6) or None if 0 < number < 1e9 else None


def _taken_at(moment: str, offset: str) -> str | None:
    """``2026:11:24 09:30:00`` and ``+09:00`` as ISO 8601; None if that is not a valid time."""
    match = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", moment)
    text = f"{match[1]}-{match[2]}-{match[3]}T{match[4]}" if match else ""
    zone = offset if re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset) else ""
    try:
        return datetime.fromisoformat(text + zone).isoformat()
    except ValueError:
        return None
