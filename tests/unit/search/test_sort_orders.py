"""The places beside ``search.sort_orders`` that must name each sort order."""

import re

from imageapi.search.sort_orders import ORDERS, sorts_by_time

from tests import ROOT


def test_init_db_sql_has_its_indexes() -> None:
    schema = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    for key in {order.key for order in ORDERS.values() if order.key}:
        assert f" ON image_metadata ({key}, id);" in schema
        assert f" ON image_metadata (category, {key}, id);" in schema


def test_the_gallery_offers_only_these() -> None:
    text = (ROOT / "functions/gallery/assets/text.js").read_text(encoding="utf-8")
    assert set(re.findall(r'^  "?sort_([-\w]+)"?: \[', text, re.MULTILINE)) <= set(ORDERS)


def test_orders_of_time_always_work() -> None:
    assert sorts_by_time(has_terms=False) == ["created_at", "-created_at"]
    assert sorts_by_time(has_terms=True) == ["created_at", "-created_at", "relevance"]
