"""Text normalization for search: folded letters, and words of letters and digits. Pure."""

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f]+")
# Scripts without spaces between words: Thai to Burmese, Khmer, Kana, Bopomofo, Han, Hangul.
_DENSE_CLASS = (
    "\u0e00-\u109f\u1780-\u17ff\u3005-\u30ff\u3100-\u312f\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
_DENSE = re.compile(f"[{_DENSE_CLASS}]")
_RUN = re.compile(f"[{_DENSE_CLASS}]+|[^{_DENSE_CLASS}]+")


def fold(text: str) -> str:
    """Fold width, case and accents; separate words by one space.

    NFKC maps half-width kana and full-width letters to their normal forms. Latin, Greek and Cyrillic lose
    their accents. Kana keep their voicing marks, which distinguish letters. Scripts with combining vowel
    signs keep those. Variation selectors (葛󠄀 and 葛) are dropped.
    """
    composed = unicodedata.normalize("NFKC", _SELECTORS.sub("", text)).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", composed))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def normalise(text: str) -> str:
    """Fold the text and split it into words of letters and digits, separated by one space. A new word starts
    where scripts with and without spaces meet: HD in 東京タワーHD写真 is a word.
    """
    spaced = "".join(_in_word(c) for c in fold(text))
    words = (word for part in spaced.split() for word in _RUN.findall(part))
    return " ".join(word for word in words if any(c.isalnum() for c in word))


def _in_word(character: str) -> str:
    category = unicodedata.category(character)
    if character.isalnum() or category[0] == "M":
        return character
    return "" if category == "Cf" else " "


def normalise_tag(tag: str) -> str:
    """Fold a tag for comparison, keeping its punctuation: C++ and C# differ."""
    return fold(tag)


def is_dense(word: str) -> bool:
    """Whether a normalized word is in a script without spaces between words."""
    return bool(_DENSE.match(word))
