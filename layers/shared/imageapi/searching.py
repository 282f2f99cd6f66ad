"""What an image can be found by: normalised text, and tokens for the one inverted index. Pure.

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
MAX_TERMS = 10
MIN_SIDE_EXPONENT = 6
MAX_SIDE_EXPONENT = 16

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
# Scripts without spaces between words: Thai to Burmese, Khmer, Kana, Bopomofo, Han, Hangul.
_DENSE = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3005-\u30ff\u3100-\u312f\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+"
)


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


def normalise(text: str) -> str:
    """One spelling for all that look for the same: width, case and accents folded, words apart by one space.

    Compatibility forms are composed (NFKC), so that half-width kana and full-width letters are as any other;
    accents go from Latin, Greek and Cyrillic letters, while the voicing marks of kana stay, which make
    another letter.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", bare)))


def make_search_text(row: Mapping[str, Any]) -> tuple[str, str]:
    """The text that a search looks through, and the part of it that counts more.

    Returns:
        ``(everything, title and tags)``; each begins with a space, as each word does.
    """
    strong = f" {normalise(row['title'])} {normalise(' '.join(row['tags']))}".rstrip()
    rest = normalise(f"{row['filename']} {row['description']}")
    return f"{strong} {rest}".rstrip(), strong


def make_tokens(row: Mapping[str, Any]) -> list[int]:
    """All tokens of an image, sorted, each once. See :func:`filter_tokens` for how they are asked for."""
    everything, strong = make_search_text(row)
    tokens = {f"x{gram}" for gram in _text_grams(everything)}
    tokens |= {f"X{gram}" for gram in _text_grams(strong)}
    tokens |= {f"t{normalise_tag(tag)}" for tag in row["tags"]}
    tokens |= {f"c{row['category']}", f"m{row['mime_type']}"}
    for side, name in ((row["width"], "w"), (row["height"], "h")):
        tokens |= {f"{name}{exponent}" for exponent in _exponents_up_to(side)}
    return sorted({hash_token(token) for token in tokens})


def normalise_tag(tag: str) -> str:
    """Tags are compared like words: width, case and accents do not matter."""
    return normalise(tag) or tag


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
    runs = list(_runs(word))
    if len(runs) == 1 and not runs[0][1] and len(word) < 3:
        return Term(word, f" {word}", (f"^{word}",))
    grams = [gram for run, dense in runs for gram in _query_grams(run, dense)]
    return Term(word, word, tuple(dict.fromkeys(grams)))


def _query_grams(run: str, dense: bool) -> Iterator[str]:
    size = 2 if dense and len(run) > 1 else 1 if dense else 3
    for start in range(len(run) - size + 1):
        yield run[start : start + size]


def _text_grams(text: str) -> Iterator[str]:
    for word in text.split():
        for index, (run, dense) in enumerate(_runs(word)):
            if dense:
                yield from run
            elif index == 0:
                yield from (f"^{run[:1]}", f"^{run[:2]}")
            size = 2 if dense else 3
            for start in range(len(run) - size + 1):
                yield run[start : start + size]


def _runs(word: str) -> Iterator[tuple[str, bool]]:
    """The word's parts in scripts with and without spaces: ``(part, dense)``."""
    end = 0
    for match in _DENSE.finditer(word):
        if match.start() > end:
            yield word[end : match.start()], False
        yield match.group(), True
        end = match.end()
    if end < len(word):
        yield word[end:], False


def _exponents_up_to(side: int) -> Iterator[int]:
    return (e for e in range(MIN_SIDE_EXPONENT, MAX_SIDE_EXPONENT) if 2**e <= side)
