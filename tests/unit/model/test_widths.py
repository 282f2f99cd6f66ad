"""Where a variant's width must be named besides its declaration in ``model.variant_names``."""

import json
import re
from typing import Any

from imageapi.model.variant_names import WIDTHS

from tests.support.events import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions/gallery/openapi.json").read_text(encoding="utf-8"))


def test_openapi_json_names_all() -> None:
    (variant,) = [
        parameter
        for parameter in DOCUMENT["paths"]["/images/{id}/{variant}"]["get"]["parameters"]
        if parameter.get("name") == "variant"
    ]
    widths = [int(width) for width in re.findall(r"\b\d{3,4}\b", variant["description"])]
    assert widths == list(WIDTHS)
    described = DOCUMENT["components"]["parameters"]["Variants"]["description"]
    assert [int(width) for width in re.findall(r"`w(\d+)`", described)] == list(WIDTHS)


def test_the_readmes_name_the_smallest_and_the_largest() -> None:
    for document in ("README.md", "README.ja.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert re.search(rf"`w{WIDTHS[0]}`( to |〜)`w{WIDTHS[-1]}`", text), document
