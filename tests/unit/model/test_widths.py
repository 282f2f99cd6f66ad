"""Where a variant's width must be named besides its declaration in ``model.variant_names``."""

import re

from imageapi.model.variant_names import WIDTHS

from tests.support.events import ROOT
from tests.support.openapi import parameters


def test_all_that_name_it() -> None:
    variant = parameters("get", "/images/{id}/{variant}")["variant"]["description"]
    assert tuple(map(int, re.findall(r"\b\d{3,4}\b", variant))) == WIDTHS
    variants = parameters("get", "/api/images")["variants"]["description"]
    assert tuple(map(int, re.findall(r"`w(\d+)`", variants))) == WIDTHS
    for document in ("README.md", "README.ja.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert re.search(rf"`w{WIDTHS[0]}`( to |〜)`w{WIDTHS[-1]}`", text), document
