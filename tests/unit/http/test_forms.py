"""The multipart body of a direct upload, and file names."""

import pytest
from imageapi.config.settings import MAX_DIRECT_FILE_BYTES, MAX_MULTIPART_BYTES
from imageapi.errors import AppError
from imageapi.http.forms import UploadForm, parse_upload_form

from tests.support import multipart, pictures
from tests.support.multipart import BOUNDARY, Part

DATA = pictures.jpeg()
FILE = multipart.file(DATA)
METADATA = multipart.field("metadata", '{"title": "桜"}')
GOOD, GOOD_TYPE = multipart.build([FILE, METADATA])
NAME = b"Content-Disposition: form-data; name=image_file"


def parse(*parts: Part, **options: bytes) -> UploadForm:
    return parse_upload_form(*multipart.build(parts, **options))  # type: ignore[arg-type]


def refusal(body: bytes, content_type: str | None = GOOD_TYPE) -> AppError:
    with pytest.raises(AppError) as caught:
        parse_upload_form(body, content_type)
    return caught.value


def test_a_whole_upload_in_any_order_and_what_is_around_it() -> None:
    body, content_type = multipart.upload_body(DATA, "桜 の写真.jpg", {"title": "桜"})
    assert parse_upload_form(body, content_type) == (DATA, "桜 の写真.jpg", {"title": "桜"})
    assert parse(METADATA, FILE) == parse(FILE, METADATA)
    assert parse(FILE).metadata == {}
    assert parse(FILE, METADATA, preamble=b"for old mail readers\r\n", epilogue=b"\r\nbye").data == DATA
    assert parse(FILE, METADATA, epilogue=b"").data == DATA
    for kind in (
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
        f"multipart/form-data;charset=utf-8;boundary={BOUNDARY}",
    ):
        assert parse_upload_form(GOOD, kind).data == DATA


def test_not_multipart_or_without_a_usable_boundary() -> None:
    for content_type in (None, "", "application/json", "multipart/mixed; boundary=x"):
        assert refusal(b"{}", content_type).code == "unsupported_media_type", content_type
    quoted = ('boundary=""', 'boundary="a\nb"', 'boundary="\ud800"')
    for parameters in ("", "boundary", "boundary=", "charset=utf-8", *quoted):
        assert refusal(GOOD, f"multipart/form-data; {parameters}").code == "body_invalid", parameters


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff" * 500,
        b"x" + GOOD,
        multipart.build([FILE, METADATA], boundary="other")[0],
        multipart.build([FILE, METADATA], closed=False)[0],
        multipart.build([FILE, METADATA], epilogue=b"")[0][:-3],
        multipart.build([FILE, METADATA], line_end=b"\n")[0],
        multipart.build([METADATA, FILE])[0][:-200],
        multipart.build([multipart.file(f"a\r\n--{BOUNDARY}and more".encode()), METADATA])[0],
        b"--" + BOUNDARY.encode() + b"\r\nContent-Dispo",
        *(
            multipart.build([Part(headers, DATA), METADATA])[0]
            for headers in (
                [],
                [b"Content-Type: image/jpeg"],
                [b"Content-Disposition: attachment; name=image_file"],
                [b"no colon at all"],
                [b"Content-Disposition: form-data; name=\xff"],
                [NAME, b"X-Long: " + b"x" * 10_240],
                [NAME, *(b"X-%d: y" % n for n in range(20))],
                [NAME, b"Content-Length: 5"],
            )
        ),
    ],
)
def test_broken_bodies(body: bytes) -> None:
    error = refusal(body)
    assert (error.status, error.code) == (400, "body_invalid")


@pytest.mark.parametrize(
    ("parts", "field", "reason"),
    [
        ([], "image_file", "required"),
        ([METADATA], "image_file", "required"),
        ([multipart.file(b""), METADATA], "image_file", "value"),
        ([FILE, FILE, METADATA], "image_file", "repeated"),
        ([FILE, METADATA, METADATA], "metadata", "repeated"),
        ([FILE, METADATA, multipart.field("", "1")], "", "unknown"),
        ([multipart.file(DATA, name="Image_File"), METADATA], "Image_File", "unknown"),
        ([FILE, multipart.field("x" * 1000, "1")], "x" * 64, "unknown"),
    ],
)
def test_wrong_fields(parts: list[Part], field: str, reason: str) -> None:
    error = refusal(multipart.build(parts)[0])
    known = {"known": ["image_file", "metadata"]} if reason == "unknown" else {}
    assert (error.status, error.code) == (422, "field_invalid")
    assert error.details == {"field": field, "reason": reason, **known}


def test_the_largest_file() -> None:
    data = bytes(MAX_DIRECT_FILE_BYTES)
    assert parse(multipart.file(data), METADATA).data == data
    for parts in (
        [multipart.file(data + b"\0"), METADATA],
        [FILE, multipart.field("metadata", bytes(MAX_MULTIPART_BYTES))],
    ):
        error = refusal(multipart.build(parts)[0])
        assert (error.status, error.code) == (413, "payload_too_large")
        assert error.details == {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        ("", ""),
        ("; filename*=UTF-8''%E5%86%99%E7%9C%9F.jpg", "写真.jpg"),
        ("; filename*=utf-8'ja'%E5%86%99%E7%9C%9F.jpg", "写真.jpg"),
        ("; filename=\"plain.jpg\"; filename*=UTF-8''%E5%86%99.jpg", "写.jpg"),
        ("; filename*=UTF-8''%E5%86%99.jpg; filename=plain.jpg", "写.jpg"),
        ("; filename*=iso-8859-1''caf%E9.jpg", "café.jpg"),
        ("; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        # Not a parameter, but part of the plain name.
        ("; filename=\"note; filename*=utf-8''evil.png\"", "note; filename*=utf-8''evil.png"),
        ('; filename="a\\"; filename*=utf-8\'\'evil.png"', "a\"; filename*=utf-8''evil.png"),
    ],
)
def test_extended_names(parameters: str, seen: str) -> None:
    assert parse(multipart.file(DATA, None, parameters=parameters), METADATA).filename == seen
