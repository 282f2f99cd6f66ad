"""Where a metadata field must be named besides its declaration in ``model.metadata``.

Each test names the file that lacks a field.
"""

import json
import re
from typing import Any

import pytest
from imageapi.model.metadata import FIELDS, TEXT_FIELDS

from tests.support.events import ROOT

GALLERY = ROOT / "functions/gallery"
SCHEMAS: dict[str, Any] = json.loads((GALLERY / "openapi.json").read_text(encoding="utf-8"))["components"][
    "schemas"
]


@pytest.mark.parametrize("field", FIELDS)
def test_init_db_sql_has_a_column(field: str) -> None:
    schema = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    table = schema[schema.index("CREATE TABLE IF NOT EXISTS image_metadata") :]
    assert re.search(rf"^    {field} +text.* NOT NULL DEFAULT", table[: table.index(";")], re.MULTILINE)


@pytest.mark.parametrize("name", ["Metadata", "Image"])
@pytest.mark.parametrize("field", FIELDS)
def test_openapi_json_describes_it(name: str, field: str) -> None:
    described = SCHEMAS[name]["properties"][field]
    assert field in SCHEMAS["Metadata"]["properties"]
    if field in TEXT_FIELDS:
        assert described["maxLength"] == TEXT_FIELDS[field].max_length
    assert SCHEMAS["Metadata"]["properties"].keys() == set(FIELDS)


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_the_gallery_edits_it(field: str) -> None:
    page = (GALLERY / "assets/index.html").read_text(encoding="utf-8")
    assert f'<span data-t="{field}">' in page
    assert re.search(rf'data-field="{field}" maxlength="{TEXT_FIELDS[field].max_length}"', page)


@pytest.mark.parametrize("field", FIELDS)
def test_the_documentation_of_the_api_names_it(field: str) -> None:
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert f"`{field}`" in text[text.index("POST /api/upload") :]
