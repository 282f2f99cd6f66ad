"""The multipart body of a direct upload: ``image_file`` and optional ``metadata``."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from imageapi.config.settings import MAX_DIRECT_FILE_BYTES, MAX_MULTIPART_BYTES
from imageapi.errors import InvalidBodyError, PayloadTooLargeError, UnsupportedMediaTypeError
from imageapi.http.json_body import parse_json_object
from imageapi.http.operations import find_operation
from imageapi.model.filenames import clean_filename
from imageapi.model.schemas import InvalidFieldError, check_names, check_value

FILE_FIELD = "image_file"
METADATA_FIELD = "metadata"

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_EXTENDED_NAME = re.compile(
    r";\s*filename\*\s*=\s*(?P<charset>utf-8|iso-8859-1)'[\w-]*'(?P<value>[^\s;\"']+)",
    re.IGNORECASE | re.ASCII,
)


class DirectUploadTooLargeError(PayloadTooLargeError):
    """413: the file exceeds a Lambda request. The error names the route for large files."""

    def __init__(self) -> None:
        super().__init__(
            f"A direct upload accepts files of up to {MAX_DIRECT_FILE_BYTES:,} bytes. Send larger ones "
            "through POST /api/uploads.",
            details={"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"},
        )


class UploadForm(NamedTuple):
    """The first arguments of ``uploads.direct.upload_image``."""

    data: bytes
    filename: str
    metadata: dict[str, Any]


def parse_upload_form(body: bytes, content_type: str | None) -> UploadForm:
    """Parse the body of ``POST /api/upload``: ImageForm in openapi.json.

    Raises:
        UnsupportedMediaTypeError: the body is not multipart/form-data.
        PayloadTooLargeError: the body or the file is too large for a direct upload.
        InvalidBodyError: the body or the metadata cannot be parsed.
        InvalidFieldError: a field is missing, empty, unknown, repeated or violates its schema.
    """
    media_type, options = parse_options_header(content_type or "")
    if media_type != "multipart/form-data":
        raise UnsupportedMediaTypeError("The body must be multipart/form-data.")
    boundary = options.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise InvalidBodyError("multipart", "The Content-Type must contain a multipart boundary.")
    if len(body) > MAX_MULTIPART_BYTES:
        raise DirectUploadTooLargeError()

    parts = _read_parts(body, boundary)
    if FILE_FIELD not in parts:
        raise InvalidFieldError(FILE_FIELD, "required", "is missing. Send the image in it")
    segment, data = parts[FILE_FIELD]
    if not data:
        raise InvalidFieldError(FILE_FIELD, "value", "is empty. Send the image in it")
    if len(data) > MAX_DIRECT_FILE_BYTES:
        raise DirectUploadTooLargeError()
    sent = parts[METADATA_FIELD][1] if METADATA_FIELD in parts else b"{}"
    metadata = parse_json_object(sent, METADATA_FIELD)
    check_value(METADATA_FIELD, metadata, _schema()["properties"][METADATA_FIELD])
    return UploadForm(data, read_filename(segment), metadata)


def read_filename(segment: MultipartSegment) -> str:
    """The cleaned name of the file, from ``filename*`` if it is present, else from ``filename``.

    A ``filename*`` that violates RFC 8187 (one value, in UTF-8 or Latin-1) is ignored.
    """
    header = _QUOTED.sub('""', segment.header("Content-Disposition", ""))  # which may contain filename*=
    match = _EXTENDED_NAME.search(header)
    if match:
        return clean_filename(unquote(match["value"], encoding=match["charset"], errors="replace"))
    return clean_filename(segment.filename or "")


def _read_parts(body: bytes, boundary: str) -> dict[str, tuple[MultipartSegment, bytes]]:
    parts: dict[str, tuple[MultipartSegment, bytes]] = {}
    chunks: list[bytes] = []
    segment: MultipartSegment | None = None
    try:
        with PushMultipartParser(boundary, content_length=len(body), max_segment_count=8) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    segment, chunks = event, []
                    _check_field(segment.name or "", parts)
                elif event:
                    chunks.append(bytes(event))
                elif segment is not None:
                    parts[segment.name or ""] = (segment, b"".join(chunks))
    except MultipartError as error:
        problem = "not acceptable" if isinstance(error, ParserLimitReached) else "broken"
        message = f"The multipart body is {problem}: {error}."
        raise InvalidBodyError("multipart", message) from error
    return parts


def _check_field(name: str, seen: dict[str, tuple[MultipartSegment, bytes]]) -> None:
    if name in seen:
        raise InvalidFieldError(name, "repeated", "appears more than once. Upload one image at a time")
    check_names("", {name: None}, _schema())


def _schema() -> Mapping[str, Any]:
    return find_operation("uploadImage").body or {}
