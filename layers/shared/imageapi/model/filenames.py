"""File names: cleaned on upload, encoded for Content-Disposition on download. Pure."""

import unicodedata
from urllib.parse import quote

MAX_FILENAME_LENGTH = 255
SPELLINGS = {"jpg": {"jpg", "jpeg", "jpe", "jfif"}, "tif": {"tif", "tiff"}}
"""All accepted extensions of a type, by its usual one."""
JOINERS = "\u200c\u200d"
"""Zero-width characters that join letters or emoji. Names may contain them."""


def clean_filename(name: str) -> str:
    """The last part of a path, without control characters, at most 255 characters long. It can be empty."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if len(last) > MAX_FILENAME_LENGTH * 4:  # NFC can take quadratic time
        last = last[: MAX_FILENAME_LENGTH * 4] + last[-16:]
    printable = unicodedata.normalize("NFC", "".join(map(_in_filename, last)))
    stripped = printable.lstrip(". " + JOINERS).rstrip(" " + JOINERS)
    stem, dot, extension = stripped.rpartition(".")
    if len(stripped) > MAX_FILENAME_LENGTH and dot and len(extension) <= 10:
        stripped = stem[: MAX_FILENAME_LENGTH - len(extension) - 1] + dot + extension
    return stripped[:MAX_FILENAME_LENGTH].rstrip(" " + JOINERS)


def replace_extension(name: str, extension: str) -> str:
    """Give the name the extension of its file's type, on which programs rely. Other spellings (``.JPEG``)
    stay.
    """
    stem, _, current = name.rpartition(".")
    if stem and current.lower() in SPELLINGS.get(extension, {extension}):
        return name
    return f"{stem or name}.{extension}"


def _in_filename(character: str) -> str:
    """Replace a space, such as the narrow one in macOS screenshot names, by an ASCII space. Drop other
    unprintable characters except JOINERS.
    """
    if character in JOINERS or character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else ""


def content_disposition(filename: str, *, download: bool) -> str:
    """The Content-Disposition header (RFC 6266), with a file name in ASCII for old clients and in UTF-8."""
    kind = "attachment" if download else "inline"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
