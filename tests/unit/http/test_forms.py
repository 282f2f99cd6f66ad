"""The multipart body of a direct upload, and file names."""

import pytest
from imageapi.config.settings import MAX_DIRECT_FILE_BYTES, MAX_MULTIPART_BYTES
from imageapi.errors import AppError, InvalidRequestError, PayloadTooLargeError, UnsupportedMediaTypeError
from imageapi.http.forms import UploadForm, parse_upload_form
from imageapi.model.filenames import clean_filename

from tests.support import multipart, pictures
from tests.support.multipart import BOUNDARY, Part

DATA = pictures.jpeg()
FILE = multipart.file(DATA)
METADATA = multipart.field("metadata", '{"title": "桜"}')


def parse(*parts: Part, **options: object) -> UploadForm:
    return parse_upload_form(*multipart.build(parts, **options))  # type: ignore[arg-type]


def refusal(*parts: Part, **options: object) -> AppError:
    with pytest.raises(AppError) as caught:
        parse(*parts, **options)
    return caught.value


def test_a_whole_upload() -> None:
    body, content_type = multipart.upload_body(DATA, "桜 の写真.jpg", {"title": "桜"})
    form = parse_upload_form(body, content_type)
    assert form.filename == "桜 の写真.jpg"
    assert form.data == DATA
    assert form.metadata == {"title": "桜"}


def test_the_order_of_the_fields_does_not_matter() -> None:
    assert parse(METADATA, FILE) == parse(FILE, METADATA)


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "multipart/mixed; boundary=x", "image/jpeg"]
)
def test_not_multipart(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        parse_upload_form(b"{}", content_type)
    assert (caught.value.status, caught.value.code) == (415, "not_multipart")


@pytest.mark.parametrize(
    "parameters",
    ["", "boundary", "boundary=", 'boundary=""', 'boundary="a\nb"', "charset=utf-8", 'boundary="\ud800"'],
)
def test_no_usable_boundary(parameters: str) -> None:
    body, _ = multipart.build([FILE, METADATA])
    with pytest.raises(InvalidRequestError) as caught:
        parse_upload_form(body, f"multipart/form-data; {parameters}")
    assert caught.value.code == "invalid_multipart"


@pytest.mark.parametrize(
    "content_type",
    [
        f'multipart/form-data; boundary="{BOUNDARY}"',
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
        f"multipart/form-data;charset=utf-8;boundary={BOUNDARY}",
    ],
)
def test_ways_to_write_the_boundary(content_type: str) -> None:
    body, _ = multipart.build([FILE, METADATA])
    assert parse_upload_form(body, content_type).data == DATA


def test_a_quoted_boundary_with_spaces_and_colons() -> None:
    body, _ = multipart.build([FILE, METADATA], boundary="a b:c=d")
    assert parse_upload_form(body, 'multipart/form-data; boundary="a b:c=d"').data == DATA


def test_preamble_and_epilogue_are_ignored() -> None:
    assert parse(FILE, METADATA, preamble=b"for old mail readers\r\n", epilogue=b"\r\nbye").data == DATA


@pytest.mark.parametrize("epilogue", [b"", b"\r\n"])
def test_the_last_line_end_may_be_missing(epilogue: bytes) -> None:
    assert parse(FILE, METADATA, epilogue=epilogue).data == DATA


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("empty", b""),
        ("other boundary", multipart.build([FILE, METADATA], boundary="other")[0]),
        ("ends before the last boundary", multipart.build([FILE, METADATA], closed=False)[0]),
        ("ends in the file", multipart.build([METADATA, FILE])[0][:-200]),
        ("ends in a header", b"--" + BOUNDARY.encode() + b"\r\nContent-Dispo"),
        ("ends in the last boundary", multipart.build([FILE, METADATA], epilogue=b"")[0][:-3]),
        ("line feeds only", multipart.build([FILE, METADATA], line_end=b"\n")[0]),
        ("garbage", b"\x00\xff" * 500),
        ("text before the boundary", b"x" + multipart.build([FILE, METADATA])[0]),
    ],
)
def test_broken_bodies(what: str, body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_upload_form(body, f"multipart/form-data; boundary={BOUNDARY}")
    assert (caught.value.status, caught.value.code) == (400, "invalid_multipart"), what


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b"Content-Type: image/jpeg"],
        [b"Content-Disposition: attachment; name=image_file"],
        [b"no colon at all"],
        [b"Content-Disposition: form-data; name=\xff"],
        [b"Content-Disposition: form-data; name=image_file", b"X-Long: " + b"x" * 10_240],
        [b"Content-Disposition: form-data; name=image_file", *(b"X-%d: y" % n for n in range(20))],
        [b"Content-Disposition: form-data; name=image_file", b"Content-Length: 5"],
    ],
)
def test_broken_part_headers(headers: list[bytes]) -> None:
    assert refusal(Part(headers, DATA), METADATA).code == "invalid_multipart"


def test_too_many_parts() -> None:
    assert refusal(*[Part([b"Content-Disposition: form-data; name=metadata"], b"")] * 50).status == 400


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([METADATA], "file_missing"),
        ([FILE], "metadata_missing"),
        ([], "file_missing"),
        ([multipart.file(b""), METADATA], "file_empty"),
        ([FILE, FILE, METADATA], "field_repeated"),
        ([FILE, METADATA, METADATA], "field_repeated"),
        ([FILE, METADATA, multipart.field("extra", "1")], "field_unknown"),
        ([FILE, METADATA, multipart.field("", "1")], "field_unknown"),
        ([multipart.file(DATA, name="Image_File"), METADATA], "field_unknown"),
    ],
)
def test_wrong_fields(parts: list[Part], code: str) -> None:
    error = refusal(*parts)
    assert (error.status, error.code) == (400, code)


def test_an_unknown_field_is_named_but_not_at_length() -> None:
    details = refusal(FILE, METADATA, multipart.field("x" * 1000, "1")).details
    assert details == {"field": "x" * 64, "known": ["image_file", "metadata"]}


def test_the_largest_file_passes() -> None:
    data = bytes(MAX_DIRECT_FILE_BYTES)
    assert len(parse(multipart.file(data), METADATA).data) == MAX_DIRECT_FILE_BYTES


@pytest.mark.parametrize(
    "parts",
    [
        [multipart.file(bytes(MAX_DIRECT_FILE_BYTES + 1)), METADATA],
        [FILE, multipart.field("metadata", bytes(MAX_MULTIPART_BYTES))],
    ],
)
def test_too_large(parts: list[Part]) -> None:
    error = refusal(*parts)
    assert isinstance(error, PayloadTooLargeError)
    assert "/api/uploads" in error.message
    assert error.details == {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n--",
        BOUNDARY.encode(),
        b"--" + BOUNDARY.encode() + b"--",
        b"x--" + BOUNDARY.encode() + b"\r\n",
        b"\n--" + BOUNDARY.encode() + b"\r\n",
        b"\r\n--" + BOUNDARY.encode()[:-1],
        b"\r\n\r\n" * 3,
        b"\r",
    ],
)
def test_data_that_looks_like_a_boundary_survives(data: bytes) -> None:
    assert parse(multipart.file(data), METADATA).data == data


def test_data_with_the_very_boundary_is_refused_not_cut() -> None:
    data = DATA + b"\r\n--" + BOUNDARY.encode() + b"and more"
    assert refusal(multipart.file(data), METADATA).code == "invalid_multipart"


@pytest.mark.parametrize(
    ("filename", "seen"),
    [
        ("C:\\Users\\me\\Pictures\\cat.png", "cat.png"),
        ("日本語の写真.jpg", "日本語の写真.jpg"),
        ('with "quotes".jpg', 'with "quotes".jpg'),
        ("two\r\nlines.jpg", "twolines.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("semi;colon.jpg", "semi;colon.jpg"),
        ("...", ""),
        ("dir/", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_names_of_files(filename: str | None, seen: str) -> None:
    assert parse(multipart.file(DATA, filename), METADATA).filename == seen


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        ("; filename*=UTF-8''%E5%86%99%E7%9C%9F.jpg", "写真.jpg"),
        ("; filename*=utf-8'ja'%E5%86%99%E7%9C%9F.jpg", "写真.jpg"),
        ("; filename=\"plain.jpg\"; filename*=UTF-8''%E5%86%99.jpg", "写.jpg"),
        ("; filename*=UTF-8''%E5%86%99.jpg; filename=plain.jpg", "写.jpg"),
        ("; filename*=iso-8859-1''caf%E9.jpg", "café.jpg"),
        ("; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("; filename*=UTF-8''C%3A%5Ccat.png", "cat.png"),
        ("; filename*=UTF-8''a%00b.jpg", "ab.jpg"),
        # Not a parameter, but part of the plain name.
        ("; filename=\"note; filename*=utf-8''evil.png\"", "note; filename*=utf-8''evil.png"),
        ('; filename="a\\"; filename*=utf-8\'\'evil.png"', "a\"; filename*=utf-8''evil.png"),
    ],
)
def test_extended_names(parameters: str, seen: str) -> None:
    assert parse(multipart.file(DATA, None, parameters=parameters), METADATA).filename == seen


@pytest.mark.parametrize(
    "value",
    [
        "; filename*=",
        "; filename*",
        '; filename*=""',
        "; filename*=UTF-8''%E5%86",
        "; filename*=UTF-8''%ZZ%",
        "; filename*=UTF-8'only-one-quote",
        "; filename*=no-such-charset''x.jpg",
        "; filename*=undefined''x.jpg",
        "; filename*=idna''x%FF.jpg",
        "; filename*=punycode''%FF%FE",
        "; filename*=utf%008''x.jpg",
        "; filename*=hex''zz",
        "; filename*=unicode_escape''%5Cud800.jpg",
        "; filename*=UTF-8''a; filename*0=b",
        "; filename*0*=UTF-8''a; filename*1=b",
        "; filename*99999999999=b",
        "; filename*=UTF-8''a; filename*=UTF-8''b",
    ],
)
@pytest.mark.parametrize("plain", ["plain.jpg", None])
def test_broken_extended_names_cost_the_name_at_most(plain: str | None, value: str) -> None:
    form = parse(multipart.file(DATA, plain, parameters=value), METADATA)
    assert form.data == DATA
    assert form.filename == clean_filename(form.filename)
    form.filename.encode()
