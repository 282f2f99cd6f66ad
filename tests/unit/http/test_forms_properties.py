"""Properties of any upload form: bytes survive, names are clean, and refusals are AppErrors."""

import json
import re
import unicodedata

from hypothesis import assume, example, given
from hypothesis import strategies as st
from imageapi.http.forms import UploadForm, parse_upload_form
from imageapi.model.filenames import JOINERS, clean_filename

from tests.support import multipart
from tests.support.properties import any_text, attempt, check, is_storable, utf8_text

filenames = st.one_of(any_text, st.text('aé写/\\. \0\u202e\u0301\u200d"%;', max_size=300))

DELIMITER = b"\r\n--" + multipart.BOUNDARY.encode()
pieces = st.sampled_from([b"\r", b"\n", b"-", b"x", DELIMITER[2:], DELIMITER[:-1]])


@check
@given(
    data=st.binary(min_size=1, max_size=500) | st.lists(pieces, min_size=1).map(b"".join),
    filename=utf8_text,
    title=utf8_text,
)
@example(data=b"\r", filename="a", title="\r\n")
@example(data=DELIMITER[2:], filename="a", title=DELIMITER.decode())
def test_any_bytes_and_names_survive(data: bytes, filename: str, title: str) -> None:
    assume(DELIMITER not in data)
    metadata = json.dumps({"title": title}, ensure_ascii=False)
    parts = [multipart.file(data, filename), multipart.field("metadata", metadata)]
    form = parse_upload_form(*multipart.build(parts))
    assert (form.data, form.metadata) == (data, {"title": title})
    # As browsers quote, %22 in a name and a quotation mark look the same.
    if not re.search(r'%(22|0D|0A)|\\"|^"|"$', filename):
        assert form.filename == clean_filename(filename)


@check
@given(data=st.binary(min_size=1, max_size=300), boundary=st.text("0aZ'()+_,-./:=?", min_size=1, max_size=70))
def test_any_boundary_that_is_allowed(data: bytes, boundary: str) -> None:
    """RFC 2046, 5.1.1; quoted, as most of these characters require."""
    parts = [multipart.field("metadata", "{}"), multipart.file(data)]
    body, _ = multipart.build(parts, boundary=boundary)
    if body.count(f"\r\n--{boundary}".encode()) == len(parts):
        assert parse_upload_form(body, f'multipart/form-data; boundary="{boundary}"').data == data


content_types = st.one_of(
    st.none(),
    any_text,
    any_text.map("multipart/form-data; {}".format),
    any_text.map("multipart/form-data; boundary={}".format),
    any_text.map('multipart/form-data; boundary="{}"'.format),
)


words = st.sampled_from(
    b"""--x --x-- : ; = " % ' * {} Content-Disposition form-data name filename filename* filename*0*
    image_file metadata UTF-8'' idna'' Content-Length Content-Disposition:form-data;name=image_file""".split()
)
marks = st.sampled_from([b" ", b"\0", b"\xff", b"\n", b"\r\n", b"\r\n--x\r\n"])


nearly = st.lists(words | marks | st.binary(max_size=6), max_size=40).map(
    lambda parts: (b"--x\r\n" + b"".join(parts), "multipart/form-data; boundary=x")
)


@check
@given(st.tuples(st.binary(max_size=300), content_types) | nearly)
@example((b"", 'multipart/form-data; boundary="\ud800"'))
def test_garbage_and_what_is_nearly_a_form_is_refused(sent: tuple[bytes, str | None]) -> None:
    form = attempt(parse_upload_form, *sent)
    if isinstance(form, UploadForm):
        assert form.data
        assert is_storable(form.filename)


odd_charsets = ("idna", "punycode", "undefined", "utf-16", "hex", "unicode_escape", "a\x00")
charsets = st.sampled_from(["UTF-8", "iso-8859-1", *odd_charsets])
extended_values = st.tuples(charsets, st.text("%0A1FEé写x'", max_size=20)).map("''".join)
broken_values = st.text("%0AE'\"\\;= x", max_size=20)
names = st.sampled_from(["filename", "filename*", "filename*0", "filename*0*", "filename*1*", "FILENAME*"])


@check
@given(parameters=st.lists(st.tuples(names, extended_values | broken_values), max_size=4))
def test_any_extended_name_costs_the_name_at_most(parameters: list[tuple[str, str]]) -> None:
    text = "".join(f"; {name}={value}" for name, value in parameters)
    file = multipart.file(b"data", None, parameters=text)
    form = parse_upload_form(*multipart.build([file, multipart.field("metadata", "{}")]))
    assert form.data == b"data"
    assert is_storable(form.filename)
    assert clean_filename(form.filename) == form.filename


@check
@given(name=filenames)
@example(name=". x")
@example(name="e\u200d\u0301")
@example(name="a" * 254 + " b")
@example(name="a" * 250 + " .jpeg")
def test_clean_filenames(name: str) -> None:
    clean = clean_filename(name)
    assert not set(clean) & set("/\\")
    unseen = set(clean) - set(JOINERS)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Cf", "Zl", "Zp") for c in unseen)
    assert len(clean) <= 255
    assert not clean.startswith(".")
    assert is_storable(clean)
    assert clean == clean.strip() == unicodedata.normalize("NFC", clean) == clean_filename(clean)
