"""Builds multipart/form-data bodies from bytes, including broken ones."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

BOUNDARY = "----form-boundary-7MA4YWxkTrZu0gW"


class Part(NamedTuple):
    """One part: its raw header lines, without line ends, and its content."""

    headers: list[bytes]
    content: bytes


def field(name: str, content: bytes | str) -> Part:
    """A form field without a file name."""
    data = content.encode() if isinstance(content, str) else content
    return Part([f'Content-Disposition: form-data; name="{name}"'.encode()], data)


def file(
    content: bytes,
    filename: str | None = "picture.jpg",
    *,
    name: str = "image_file",
    content_type: str | None = "image/jpeg",
    parameters: str | bytes = b"",
    headers: Iterable[bytes] = (),
) -> Part:
    """A form field with a file.

    Args:
        filename: written as browsers do: UTF-8, with ``"``, CR and LF percent-encoded. None omits it.
        parameters: appended verbatim to Content-Disposition, for example ``"; filename*=UTF-8''a.jpg"``.
        headers: further raw header lines.
    """
    disposition = f'Content-Disposition: form-data; name="{name}"'.encode()
    if filename is not None:
        quoted = filename.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
        disposition += f'; filename="{quoted}"'.encode("utf-8", "surrogatepass")
    disposition += parameters.encode("utf-8", "surrogatepass") if isinstance(parameters, str) else parameters
    lines = [disposition, *headers]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}".encode())
    return Part(lines, content)


def build(
    fields: Iterable[Part],
    *,
    boundary: str = BOUNDARY,
    preamble: bytes = b"",
    epilogue: bytes = b"\r\n",
    line_end: bytes = b"\r\n",
    closed: bool = True,
) -> tuple[bytes, str]:
    """Put the parts together.

    Args:
        preamble: the bytes before the first boundary; must end with a line end.
        closed: False omits the last boundary.

    Returns:
        The body and its Content-Type.
    """
    body = preamble
    for part in fields:
        body += b"--" + boundary.encode() + line_end
        body += b"".join(line + line_end for line in part.headers)
        body += line_end + part.content + line_end
    if closed:
        body += b"--" + boundary.encode() + b"--" + epilogue
    return body, f"multipart/form-data; boundary={boundary}"


def upload_body(
    data: bytes,
    filename: str | None = "picture.jpg",
    metadata: Mapping[str, Any] | str | bytes | None = None,
    *,
    content_type: str = "image/jpeg",
    boundary: str = BOUNDARY,
) -> tuple[bytes, str]:
    """A whole upload: ``image_file`` and ``metadata`` (a mapping is written as JSON, None as ``{}``).

    Returns:
        The body and its Content-Type.
    """
    if metadata is None or isinstance(metadata, Mapping):
        metadata = json.dumps(dict(metadata or {}), ensure_ascii=False)
    parts = [file(data, filename, content_type=content_type), field("metadata", metadata)]
    return build(parts, boundary=boundary)
