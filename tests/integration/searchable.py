"""Searchable rows, as the service writes them, and the expected lists of them."""

import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from imageapi.model.metadata import TEXT_FIELDS
from imageapi.model.text import normalise, normalise_tag
from imageapi.search.tokens import index_values

from tests.integration.client import get
from tests.integration.stores import Stores, new_id

HOUR, DAY = 3_600_000, 86_400_000
NOW = 417 << 32
"""A time at which buckets of every size begin, in milliseconds."""
AGES = [0, 1, 40_000, 65_536, HOUR, 5 * HOUR, DAY, 4 * DAY, 60 * DAY, 400 * DAY, 4_000 * DAY]
"""Within a time bucket, in adjacent buckets, and farther apart than any bucket is long."""


COMPARISONS = {"gte": "ge", "gt": "gt", "lte": "le", "lt": "lt"}


def id_of(age: int, rest: int) -> str:
    return str(UUID(int=(NOW - age) << 80 | 7 << 76 | 2 << 62 | rest))


def show_moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def moment_of(age: int) -> str:
    return show_moment(NOW - age)


@dataclass
class Doc:
    """The fields of a ready image that matter for lists."""

    title: str = ""
    description: str = ""
    category: str = ""
    tags: Sequence[str] = ()
    filename: str = "a.jpg"
    mime_type: str = "image/jpeg"
    width: int = 100
    height: int = 100
    size_bytes: int = 1000
    id: str = field(default_factory=new_id)

    @property
    def created_at(self) -> str:
        return show_moment(UUID(self.id).int >> 80)

    def matches(self, word: str) -> bool:
        """Whether a normalized search word matches, as the API describes it."""
        return self.matches_strongly(word) or is_in(word, normalise(f"{self.filename} {self.description}"))

    def matches_strongly(self, word: str) -> bool:
        return is_in(word, f"{normalise(self.title)} {normalise(' '.join(self.tags))}")

    def is_in_range(self, parameter: str, bound: str) -> bool:
        """Whether its value is in a range such as ``width.gte=100``."""
        name, comparison = parameter.split(".")
        value = getattr(self, name)
        return bool(getattr(operator, COMPARISONS[comparison])(value, type(value)(bound)))

    def has_tag(self, tag: str) -> bool:
        return normalise_tag(tag) in {normalise_tag(own) for own in self.tags}


def is_in(word: str, text: str) -> bool:
    """One or two letters, in scripts with spaces, match only at the start of a word."""
    is_short = len(word) < 3 and all(ord(c) < 0xE00 for c in word)
    return (f" {word}" if is_short else word) in f" {text}"


def insert(stores: Stores, docs: Sequence[Doc]) -> None:
    for doc in docs:
        row = {**dict.fromkeys(TEXT_FIELDS, ""), **vars(doc), "tags": list(doc.tags)}
        columns = {**row, **index_values(row), "created_at": doc.created_at}
        del columns["id"]
        stores.insert([doc.id], columns)


def walk(query: dict[str, Any], limit: int = 50) -> list[str]:
    """The ids of all pages of a list. Fails instead of looping when the cursor does not advance."""
    ids: list[str] = []
    lists = [(name, value) for name, values in query.items() for value in _listed(values)]
    cursor: list[tuple[str, str]] = []
    while True:
        answer = get("/api/images", [*lists, ("limit", str(limit)), *cursor])
        assert answer.status == 200, json.dumps(answer.body)
        ids += [image["id"] for image in answer.body["images"]]
        assert len(ids) == len(set(ids))
        if answer.body["next_cursor"] is None:
            return ids
        assert cursor != [("cursor", answer.body["next_cursor"])]
        cursor = [("cursor", answer.body["next_cursor"])]


def _listed(values: Any) -> list[str]:
    return list(values) if isinstance(values, list | tuple) else [str(values)]


def expected(docs: list[Doc], query: dict[str, str]) -> list[str]:
    terms = normalise(query.get("q", "")).split()
    found = [
        doc
        for doc in docs
        if all(doc.matches(term) for term in terms)
        and ("tags" not in query or doc.has_tag(query["tags"]))
        and query.get("category", doc.category) == doc.category
        and query.get("mime_type", doc.mime_type) == doc.mime_type
        and all(doc.is_in_range(name, query[name]) for name in query if "." in name)
    ]
    newest = sorted(found, key=lambda doc: doc.id, reverse=True)
    ascending = {
        "created_at": newest[::-1],
        "title": sorted(found, key=lambda doc: (normalise(doc.title), doc.id)),
        "size_bytes": sorted(found, key=lambda doc: (doc.size_bytes, doc.id)),
    }
    orders = ascending | {f"-{name}": order[::-1] for name, order in ascending.items()}
    orders["relevance"] = sorted(newest, key=lambda doc: not all(map(doc.matches_strongly, terms)))
    return [doc.id for doc in orders[query.get("sort", "relevance" if terms else "-created_at")]]


def total(*query: tuple[str, str]) -> dict[str, Any]:
    answer = get("/api/images", [*query, ("total", "true"), ("limit", "1")])
    assert answer.status == 200
    found: dict[str, Any] = answer.body["total"]
    return found
