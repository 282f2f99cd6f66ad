"""Where a sort order must be named besides its declaration in ``search.sort_orders``.

Each test names the file that lacks an order.
"""

import json
import re

import pytest
from imageapi.search.sort_orders import ORDERS, sorts_by_time

from tests.support.events import ROOT

GALLERY = ROOT / "functions/gallery"
BY_COLUMN = [name for name, order in ORDERS.items() if order.key]


@pytest.mark.parametrize("name", BY_COLUMN)
def test_init_db_sql_has_its_indexes(name: str) -> None:
    schema = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    key = ORDERS[name].key
    assert f"image_metadata_{name} ON image_metadata ({key}, id);" in schema
    assert f"image_metadata_category_{name} ON image_metadata (category, {key}, id);" in schema


def test_openapi_json_names_all() -> None:
    document = json.loads((GALLERY / "openapi.json").read_text(encoding="utf-8"))
    parameters = document["paths"]["/api/images"]["get"]["parameters"]
    (described,) = [parameter for parameter in parameters if parameter.get("name") == "sort"]
    assert described["schema"]["enum"] == list(ORDERS)


def test_the_gallery_offers_all() -> None:
    text = (GALLERY / "assets/text.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^  sort_(\w+): \[", text, re.MULTILINE)) == set(ORDERS)


def test_the_documentation_of_the_api_names_all() -> None:
    names = ", ".join(f"`{name}`" for name in ORDERS)
    assert f"`sort` ({names})" in (ROOT / "docs/api.md").read_text(encoding="utf-8")


def test_orders_of_time_always_work() -> None:
    assert sorts_by_time(has_terms=False) == ["newest", "oldest"]
    assert sorts_by_time(has_terms=True) == ["newest", "oldest", "relevance"]
