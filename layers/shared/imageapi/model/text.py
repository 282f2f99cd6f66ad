"""Text as searches compare it: one spelling of letters, and words of letters and digits. Pure."""

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
    """One spelling of letters: width, case and accents folded, words apart by one space.

    Compatibility forms are composed (NFKC), so that half-width kana and full-width letters are as any other;
    accents go from Latin, Greek and Cyrillic letters, while the voicing marks of kana stay, which make
    another letter, and so do the vowel signs of the scripts that write them as marks. What selects one of
    several shapes of a character (葛󠄀 and 葛) makes no difference.
    """
    composed = unicodedata.normalize("NFKC", _SELECTORS.sub("", text)).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", composed))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def normalise(text: str) -> str:
    """Folded words of letters and digits, apart by one space; a change between scripts with and without
    spaces begins a new word, so that HD in 東京タワーHD写真 is one.
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
    """Tags are compared folded, with their punctuation: C++ and C# are two."""
    return fold(tag)


def is_dense(word: str) -> bool:
    """Whether a normalised word is of a script that is written without spaces."""
    return bool(_DENSE.match(word))
