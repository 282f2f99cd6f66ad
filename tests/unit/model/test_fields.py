"""The places beside ``model.metadata`` that must name each metadata field."""

import re

import pytest
from imageapi.model.metadata import FIELDS, TEXT_FIELDS

from tests import ROOT
from tests.support.openapi import schema


@pytest.mark.parametrize("field", FIELDS)
def test_files_that_name_it(field: str) -> None:
    sql = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    table = sql[sql.index("CREATE TABLE IF NOT EXISTS image_metadata") :]
    assert re.search(rf"^    {field} +text.* NOT NULL DEFAULT", table[: table.index(";")], re.MULTILINE)
    api = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert f"`{field}`" in api[api.index("POST /api/upload") :]


def test_openapi_json_describes_all() -> None:
    assert schema("Metadata")["properties"].keys() == set(FIELDS)


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_the_gallery_edits_it(field: str) -> None:
    page = (ROOT / "functions/gallery/assets/index.html").read_text(encoding="utf-8")
    assert f'<span data-t="{field}">' in page
    assert f'data-field="{field}" maxlength="{TEXT_FIELDS[field].max_length}"' in page
