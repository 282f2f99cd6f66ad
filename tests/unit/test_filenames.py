"""The names of files, cleaned: what clients send may be a path, a trap, or in any script."""

import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from imageapi import forms
from imageapi.forms import clean_filename


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a" * 300 + ".jpeg", "a" * 250 + ".jpeg"),
        ("a" * 300, "a" * 255),
        ("a." + "b" * 300, "a." + "b" * 253),
        ("写" * 300 + ".jpg", "写" * 251 + ".jpg"),
        (".hidden", "hidden"),
        (". hidden", "hidden"),
        ("  spaces  .jpg ", "spaces  .jpg"),
        ("e\u0301te\u0301.jpg", "été.jpg"),
        ("e\u200b\u0301.jpg", "é.jpg"),
        ("東京タワー\u3000夜景.png", "東京タワー 夜景.png"),
        ("Screenshot at 9.41.00\u202fAM.png", "Screenshot at 9.41.00 AM.png"),
        ("👩\u200d💻.jpg", "👩\u200d💻.jpg"),
        ("\u200d\u200c.\u200d", ""),
        ("\u2028\x7f\x85\t", ""),
        ("a/b\\c", "c"),
    ],
)
def test_clean_filename(name: str, clean: str) -> None:
    assert clean_filename(name) == clean


def test_only_short_names_are_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing takes the square of the length where it has marks to sort."""
    normalize = unicodedata.normalize

    def compose(form: Any, text: str) -> str:
        assert len(text) < 1_100
        return normalize(form, text)

    monkeypatch.setattr(forms, "unicodedata", SimpleNamespace(normalize=compose))
    clean = clean_filename("a" + "\u0301\u0316" * 16_000 + ".jpeg")
    assert (len(clean), clean[-5:]) == (255, ".jpeg")
