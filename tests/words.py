"""`python -m tests.words`: count the violations of CONTRIBUTING.md's rules of writing in each document.

`python -m tests.words FILE` lists them. No document may have more than LIMITS says.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import ROOT

ALLOWED = {
    "README.md": 1,
    "docs/deploy-aws.md": 1,
    "docs/operations.md": 1,
    "docs/tutorial.md": 1,
    "infra/operations.yaml": 1,
}
"""Faults that are there on purpose: quotes, and the names of alarms."""
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "template.yaml",
    "layers/shared/imageapi/openapi.json",
)
PATHS = [ROOT / name for name in DOCUMENTS] + [*ROOT.glob("docs/*.md"), *ROOT.glob("infra/*.yaml")]
LIMITS = {name: ALLOWED.get(name, 0) for name in sorted(str(path.relative_to(ROOT)) for path in PATHS)}
MAX_WORDS = 25
WORDS = re.compile(
    r"\b(whoever|anew|afresh|for good|by now|alone|answers?|told|announce[ds]?|(is|are|has|have) no)\b", re.I
)
IGNORED = re.compile(r"^```.*?^```|^<!--.*?-->|^\|[-|: ]+$", re.M | re.S)  # code, comments, lines of tables
BLOCK = re.compile(r"\n(?=\s*(?:[-*] |\d+\. |#|>))|\n\s*\n|\|| · ")  # items, headings, paragraphs, cells
SENTENCE = re.compile(r"(?<=[.!?:])[*_)\"]*\s+")  # a list after a colon counts by itself


def read_blocks(path: Path) -> Iterator[str]:
    """The paragraphs, items and cells of Markdown; the descriptions of YAML and JSON."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        yield from _find_descriptions(json.loads(text))
    elif path.suffix == ".yaml":
        yield from re.findall(r"Description: (?:[>|]-?\n)?((?:.+\n)(?:(?<=:\n) +.+\n)*)", text)
    else:
        yield from BLOCK.split(IGNORED.sub("", text))


def _find_descriptions(value: Any) -> Iterator[str]:
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if name in ("description", "summary") and isinstance(each, str):
            yield from BLOCK.split(each)
        elif isinstance(each, dict | list):
            yield from _find_descriptions(each)


def find_faults(text: str) -> Iterator[str]:
    """The long sentences and the refused words of one block. Code in backquotes counts as one word."""
    text = re.sub(r"``?[^`]+``?", "code", " ".join(text.split()))
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    for sentence in SENTENCE.split(text):
        count = len(re.findall(r"[^\W_][\w'’.,/-]*", sentence))
        if count > MAX_WORDS:
            yield f"{count} words: {sentence}"
        yield from (f"“{found[0]}”: {sentence}" for found in WORDS.finditer(sentence))


def find_all(name: str) -> list[str]:
    return [fault for block in read_blocks(ROOT / name) for fault in find_faults(block)]


def main() -> int:
    for name in sys.argv[1:]:
        print(*find_all(name), sep="\n")
    grown = 0
    for name, limit in LIMITS.items() if not sys.argv[1:] else ():
        count = len(find_all(name))
        if count > limit:
            grown += 1
            print(f"{name}: {count} faults, {limit} allowed. List them: python -m tests.words {name}")
    return min(grown, 1)


if __name__ == "__main__":
    sys.exit(main())
