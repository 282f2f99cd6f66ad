"""Markdown documents, for the tests that compare them with the project and run their examples."""

import re
from functools import lru_cache
from typing import NamedTuple

from tests import ROOT


class Block(NamedTuple):
    """A fenced block of code, and the heading above it."""

    heading: str
    language: str
    code: str


@lru_cache
def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, *languages: str) -> list[Block]:
    """The blocks of a document in its order; of these languages, if any are named."""
    found, heading = [], ""
    pattern = r"^##+ ([^\n]*)$|^```(\w*)\n(.*?)^```$"
    for title, language, code in re.findall(pattern, read(document), re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        elif not languages or language in languages:
            found.append(Block(heading, language, code))
    return found


def headings(document: str) -> list[str]:
    """Of all levels, with their number signs. A comment in a block of code is none."""
    text = re.sub(r"^```.*?^```$", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ .*$", text, re.MULTILINE)


def rows(document: str) -> list[list[str]]:
    """The cells of all tables' rows, without heads and rules."""
    lines = re.findall(r"^\|(?! *-)(.*)\|$", read(document), re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def anchor(heading: str) -> str:
    """GitHub's anchor of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lstrip("# ")).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def links(document: str) -> list[str]:
    """The targets of links to other files of the project, and to headings."""
    text = re.sub(r"^```.*?^```$", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"\w+:", link)]
