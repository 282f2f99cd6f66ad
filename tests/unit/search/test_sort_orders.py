"""Where a sort order must be named besides its declaration in ``search.sort_orders``."""

import re

from imageapi.search.sort_orders import ORDERS, sorts_by_time

from tests.support.events import ROOT
from tests.support.openapi import parameters


def test_init_db_sql_has_its_indexes() -> None:
    schema = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    for name, order in ORDERS.items():
        if key := order.key:
            assert f"image_metadata_{name} ON image_metadata ({key}, id);" in schema
            assert f"image_metadata_category_{name} ON image_metadata (category, {key}, id);" in schema


def test_openapi_json_names_all() -> None:
    assert parameters("get", "/api/images")["sort"]["schema"]["enum"] == list(ORDERS)


def test_the_gallery_offers_all() -> None:
    text = (ROOT / "functions/gallery/assets/text.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^  sort_(\w+): \[", text, re.MULTILINE)) == set(ORDERS)


def test_the_documentation_of_the_api_names_all() -> None:
    names = ", ".join(f"`{name}`" for name in ORDERS)
    assert f"`sort` ({names})" in (ROOT / "docs/api.md").read_text(encoding="utf-8")


def test_orders_of_time_always_work() -> None:
    assert sorts_by_time(has_terms=False) == ["newest", "oldest"]
    assert sorts_by_time(has_terms=True) == ["newest", "oldest", "relevance"]
