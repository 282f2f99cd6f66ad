"""What searches compare: normalised text, and tokens for the inverted index. Pure.

PostgreSQL's own means cannot serve this: its word search needs spaces between words, and trigrams scan
everything for a search of one or two characters, which in Japanese are whole words. So tokens are made here,
and each row keeps them as hashes in an array with a GIN index:

- of text: single characters and pairs of neighbours in scripts that are written without spaces; elsewhere
  triples of neighbours, and the first one and two characters of each word;
- of everything else that can be filtered by: category, tags, media type, and the powers of two that the width
  and the height reach.

A token only narrows the search down. What it finds is checked against the text itself, so that neither a
collision of hashes nor a pair found in the wrong place shows an image that does not match.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_QUERY_LENGTH = 200
MAX_TERMS = 20
MIN_SIDE_EXPONENT = 6
MAX_SIDE_EXPONENT = 16

_ACCENTS = re.compile("[\u0300-\u036f]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f]+")
# Scripts without spaces between words: Thai to Burmese, Khmer, Kana, Bopomofo, Han, Hangul.
_DENSE_CLASS = (
    "\u0e00-\u109f\u1780-\u17ff\u3005-\u30ff\u3100-\u312f\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
_DENSE = re.compile(f"[{_DENSE_CLASS}]")
_RUN = re.compile(f"[{_DENSE_CLASS}]+|[^{_DENSE_CLASS}]+")


@dataclass(frozen=True)
class Term:
    """One word or substring of a search.

    Attributes:
        text: normalised.
        needle: what the search text must contain: the same, or the same at the beginning of a word.
        grams: the tokens that each image with this term has.
    """

    text: str
    needle: str
    grams: tuple[str, ...]


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


def make_search_text(row: Mapping[str, Any]) -> tuple[str, str]:
    """The text that a search looks through, and the part of it that counts more.

    Returns:
        ``(everything, title and tags)``; each begins with a space, as each word does.
    """
    strong = f" {normalise(row['title'])} {normalise(' '.join(row['tags']))}".rstrip()
    rest = normalise(f"{row['filename']} {row['description']} {row.get('analysis_text') or ''}")
    return f"{strong} {rest}".rstrip(), strong


def make_tokens(row: Mapping[str, Any]) -> list[int]:
    """All tokens of an image, sorted and distinct. See :func:`term_tokens` for those of a search."""
    everything, strong = make_search_text(row)
    tokens = {f"x{gram}" for gram in _text_grams(everything)}
    tokens |= {f"X{gram}" for gram in _text_grams(strong)}
    tokens |= {f"t{normalise_tag(tag)}" for tag in row["tags"]}
    tokens |= {f"c{row['category']}", f"m{row['mime_type']}"}
    for side, name in ((row["width"], "w"), (row["height"], "h")):
        tokens |= {f"{name}{exponent}" for exponent in _exponents_up_to(side)}
    return sorted({hash_token(token) for token in tokens})


def normalise_tag(tag: str) -> str:
    """Tags are compared folded, with their punctuation: C++ and C# are two."""
    return fold(tag)


def parse_terms(query: str) -> list[Term]:
    """The terms of a search, each of which an image must have; empty when there is nothing to search for."""
    return [_make_term(word) for word in dict.fromkeys(normalise(query).split())]


def term_tokens(terms: Iterable[Term], *, strong: bool) -> list[int]:
    """The tokens that a row must have for these terms: anywhere, or in its title and tags."""
    prefix = "X" if strong else "x"
    return [hash_token(prefix + gram) for term in terms for gram in term.grams]


def side_token(name: str, minimum: int) -> list[int]:
    """The token (or none) that narrows down to pictures with at least ``minimum`` pixels: ``w`` or ``h``."""
    exponents = list(_exponents_up_to(minimum))
    return [hash_token(f"{name}{exponents[-1]}")] if exponents else []


def hash_token(token: str) -> int:
    """A token as a 32-bit signed integer, which a GIN index holds in a third of the space of text."""
    value = zlib.crc32(token.encode("utf-8", "surrogatepass"))
    return value - 2**32 if value >= 2**31 else value


def _make_term(word: str) -> Term:
    if not _is_dense(word) and len(word) < 3:
        return Term(word, f" {word}", (f"^{word}",))
    size = 3 if not _is_dense(word) else 2 if len(word) > 1 else 1
    return Term(word, word, tuple(dict.fromkeys(_neighbours(word, size))))


def _text_grams(text: str) -> Iterator[str]:
    for word in text.split():
        if _is_dense(word):
            yield from word
            yield from _neighbours(word, 2)
        else:
            yield from (f"^{word[:1]}", f"^{word[:2]}")
            yield from _neighbours(word, 3)


def _neighbours(word: str, size: int) -> Iterator[str]:
    return (word[start : start + size] for start in range(len(word) - size + 1))


def _is_dense(word: str) -> bool:
    return bool(_DENSE.match(word))


def _exponents_up_to(side: int) -> Iterator[int]:
    return (e for e in range(MIN_SIDE_EXPONENT, MAX_SIDE_EXPONENT) if 2**e <= side)
