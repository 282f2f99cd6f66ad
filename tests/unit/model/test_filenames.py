"""Cleaning of file names: clients may send paths, malicious names, or any script."""

import re
import unicodedata
from email.message import Message
from email.utils import collapse_rfc2231_value
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.model import filenames
from imageapi.model.filenames import clean_filename, content_disposition


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        *(("a" * 300 + ".jpeg", "a" * 250 + ".jpeg"), ("a" * 300, "a" * 255)),
        *(("a" * 300 + "." + "b" * 10, "a" * 244 + "." + "b" * 10), ("a." + "b" * 300, "a." + "b" * 253)),
        *((".hidden", "hidden"), (". hidden", "hidden"), ("  spaces  .jpg ", "spaces  .jpg")),
        ("a/b\\c", "c"),
        *(("e\u0301te\u0301.jpg", "été.jpg"), ("e\u200b\u0301.jpg", "é.jpg")),
        ("👩\u200d💻.jpg", "👩\u200d💻.jpg"),
        *(("写" * 300 + ".jpg", "写" * 251 + ".jpg"), ("東京タワー\u3000夜景.png", "東京タワー 夜景.png")),
        ("Screenshot at 9.41.00\u202fAM.png", "Screenshot at 9.41.00 AM.png"),
        *(("\u200d\u200c.\u200d", ""), ("\u2028\x7f\x85\t", ""), ("nul\0byte.jpg", "nulbyte.jpg")),
        *(("../../etc/passwd", "passwd"), ("\\\\server\\share\\cat.png", "cat.png"), ("/a/b.gif", "b.gif")),
        ("photo\u202egpj.exe", "photogpj.exe"),
    ],
)
def test_clean_filename(name: str, clean: str) -> None:
    assert clean_filename(name) == clean


def test_only_short_names_are_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composition is quadratic in the length when there are marks to sort."""
    normalize = unicodedata.normalize

    def compose(form: Any, text: str) -> str:
        assert len(text) < 1_100
        return normalize(form, text)

    monkeypatch.setattr(filenames, "unicodedata", SimpleNamespace(normalize=compose))
    clean = clean_filename("a" + "\u0301\u0316" * 16_000 + ".jpeg")
    assert (len(clean), clean[-5:]) == (255, ".jpeg")


@pytest.mark.parametrize(
    ("filename", "plain"),
    [
        ("a b.jpg", "a b.jpg"),
        ("写真.jpg", "__.jpg"),
        ('a"b\\c%.jpg', "a_b_c_.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "a__Set-Cookie: x=1.jpg"),
        ("a\tb\0c\x7f.jpg", "a_b_c_.jpg"),
    ],
)
def test_old_clients_read_an_ascii_name(filename: str, plain: str) -> None:
    for download, kind in ((True, "attachment"), (False, "inline")):
        header = content_disposition(filename, download=download)
        assert header.startswith(f'{kind}; filename="{plain}"; filename*=')


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_disposition_is_one_ascii_line_that_tells_the_name(filename: str, download: bool) -> None:
    header = content_disposition(filename, download=download)

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert read_filename(header) == filename


def read_filename(header: str) -> str:
    """The name as read by a client that follows RFC 6266."""
    message = Message()
    message["Content-Disposition"] = re.sub(r'filename="[^"]*"; ', "", header)
    value = message.get_param("filename", header="content-disposition")
    assert value is not None
    return collapse_rfc2231_value(value)
