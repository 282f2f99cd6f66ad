"""Normalized text and tokens for searches. Pure.

PostgreSQL's search does not suffice: full-text search needs spaces between words. Trigrams scan all rows for
one or two characters, which are whole words in Japanese. So this module creates tokens; each row contains
their hashes in an array with a GIN index:

- of the text: unigrams and bigrams in scripts without spaces; otherwise trigrams, and the first one and two
  characters of each word;
- of other filters: category, tags, media type, and the powers of two up to width and height;
- of the time in the image's id: its buckets of several lengths;
- SAMPLE, on a random sample of images.

Tokens only narrow a search. Candidates are checked against the text, so neither a hash collision nor a bigram
in the wrong place causes a false match.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from imageapi.model.ids import milliseconds_of
from imageapi.model.metadata import TEXT_FIELDS
from imageapi.model.text import is_dense, normalise, normalise_tag

MAX_QUERY_LENGTH = 200
MAX_TERMS = 20
MIN_SIDE_EXPONENT = 6
MAX_SIDE_EXPONENT = 16
TITLE_KEY_LENGTH = 100
"""In characters: lists are sorted only by the beginning of titles, because cursors contain it."""
OTHER_TEXT = [name for name, field in TEXT_FIELDS.items() if field.is_searched and name != "title"]
TIME_SHIFTS = (16, 20, 24, 28, 32, 36)
"""Lengths of time buckets: 2**n milliseconds. 2**16 is about a minute, 2**36 about two years."""
MAX_TIME_TOKENS = 17
"""A range of 16 buckets overlaps up to 17."""
SAMPLE = "s"
SAMPLED_OF = 256
"""One image in this many has the token SAMPLE: the end of a UUIDv7 is random."""


@dataclass(frozen=True)
class Term:
    """One word or substring of a search.

    Attributes:
        text: normalized.
        needle: the search text must contain it: ``text``, anywhere or at the beginning of a word.
        grams: tokens of each image with this term, before hashing.
    """

    text: str
    needle: str
    grams: tuple[str, ...]


def index_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The search columns of ``image_metadata``.

    Args:
        row: ``id``, the metadata, ``filename``, ``mime_type``, ``width``, ``height``, and the optional
            ``analysis_text``.
    """
    title = normalise(row["title"])
    strong = f" {title} {normalise(' '.join(row['tags']))}".rstrip()  # each word begins with a space
    rest = normalise(
        " ".join([row["filename"], *(row[name] for name in OTHER_TEXT), row.get("analysis_text") or ""])
    )
    everything = f"{strong} {rest}".rstrip()
    return {
        "search_text": everything,
        "strong_length": len(strong),
        "tokens": _make_tokens(row, everything, strong),
        "tag_keys": list(dict.fromkeys(normalise_tag(tag) for tag in row["tags"])),
        "title_key": title[:TITLE_KEY_LENGTH],
    }


def _make_tokens(row: Mapping[str, Any], everything: str, strong: str) -> list[int]:
    """The hashes of all tokens of an image, sorted and distinct."""
    image_id = UUID(row["id"])
    tokens = {f"x{gram}" for gram in _text_grams(everything)}
    tokens |= {f"X{gram}" for gram in _text_grams(strong)}
    tokens |= {f"t{normalise_tag(tag)}" for tag in row["tags"]}
    tokens |= {f"c{row['category']}", f"m{row['mime_type']}"}
    tokens |= {f"d{shift}:{milliseconds_of(image_id) >> shift}" for shift in TIME_SHIFTS}
    if image_id.int % SAMPLED_OF == 0:
        tokens.add(SAMPLE)
    sides = [*side_tokens("w", row["width"]), *side_tokens("h", row["height"])]
    return sorted({*map(hash_token, tokens), *sides})


def parse_terms(query: str) -> list[Term]:
    """The terms of a search; an image must have all of them. Empty without a letter or digit."""
    return [_make_term(word) for word in dict.fromkeys(normalise(query).split())]


def term_tokens(terms: Iterable[Term], *, strong: bool) -> list[int]:
    """The tokens that a row must have for these terms, anywhere or (``strong``) in title and tags."""
    prefix = "X" if strong else "x"
    return [hash_token(prefix + gram) for term in terms for gram in term.grams]


class TimeRange(NamedTuple):
    """A time range in milliseconds, ``end`` exclusive, and the tokens of its buckets, if any."""

    start: int
    end: int
    tokens: list[int] | None


def cover_time(start: int, end: int) -> TimeRange:
    """Round a range (``start`` < ``end``) out to whole buckets, the shortest that need at most
    MAX_TIME_TOKENS. If even the longest need more, the range stays unchanged and without tokens.
    """
    for shift in TIME_SHIFTS:
        first, last = start >> shift, end - 1 >> shift
        if last - first < MAX_TIME_TOKENS:
            tokens = [hash_token(f"d{shift}:{number}") for number in range(first, last + 1)]
            return TimeRange(first << shift, last + 1 << shift, tokens)
    return TimeRange(start, end, None)


def hash_token(token: str) -> int:
    """A token as a signed 32-bit integer, which takes a third of the space of text in a GIN index."""
    value = zlib.crc32(token.encode("utf-8", "surrogatepass"))
    return value - 2**32 if value >= 2**31 else value


def _make_term(word: str) -> Term:
    if not is_dense(word) and len(word) < 3:
        return Term(word, f" {word}", (f"^{word}",))
    size = 3 if not is_dense(word) else 2 if len(word) > 1 else 1
    return Term(word, word, tuple(dict.fromkeys(_neighbours(word, size))))


def _text_grams(text: str) -> Iterator[str]:
    for word in text.split():
        if is_dense(word):
            yield from word
            yield from _neighbours(word, 2)
        else:
            yield from (f"^{word[:1]}", f"^{word[:2]}")
            yield from _neighbours(word, 3)


def _neighbours(word: str, size: int) -> Iterator[str]:
    return (word[start : start + size] for start in range(len(word) - size + 1))


def side_tokens(name: str, side: int) -> list[int]:
    """The tokens of an image ``side`` pixels wide (``w``) or high (``h``), largest last."""
    exponents = range(MIN_SIDE_EXPONENT, MAX_SIDE_EXPONENT)
    return [hash_token(f"{name}{exponent}") for exponent in exponents if 2**exponent <= side]
