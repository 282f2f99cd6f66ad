"""Lists with filters, searches and orders on real rows, compared with the expected results."""

import random
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imageapi.model.text import normalise
from imageapi.search import counts, find_page, sort_matches, time_search
from imageapi.search.sort_orders import ORDERS

from tests.integration.client import Json, get
from tests.integration.lifecycle import patch_image
from tests.integration.searchable import (
    AGES,
    COMPARISONS,
    Doc,
    expected,
    id_of,
    insert,
    moment_of,
    total,
    walk,
)
from tests.integration.stores import Stores

TOKYO = Doc(
    title="東京タワーの夜景", tags=("東京", "Night"), category="旅行", filename="IMG_1.jpg", width=4000
)
BEACH = Doc(title="Sunset at the beach", tags=("sea",), category="nature", description="orange", size_bytes=9)
KANA = Doc(
    title="ｶﾀｶﾅ葛\U000e0100城",
    tags=("猫\ufe0f",),
    category="ガーデン",
    filename="sunset_old.png",
    mime_type="image/png",
    height=700,
)
CAFE = Doc(title="Café déjà vu", description="an old sunset photo", tags=("Night", "sea"), category="nature")
DOCS = [TOKYO, BEACH, KANA, CAFE]


@pytest.fixture
def four(stores: Stores) -> Stores:
    insert(stores, DOCS)
    return stores


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"sort": "title"}, [CAFE, BEACH, KANA, TOKYO]),
        ({"q": "タワーの夜"}, [TOKYO]),
        ({"q": "京東"}, []),
        *(({"q": text}, [KANA]) for text in ("カタカナ", "葛城", "葛\U000e0100城")),
        ({"tags": "猫"}, [KANA]),
        ({"q": "ＣＡＦＥ"}, [CAFE]),
        *(({"q": text}, [BEACH, CAFE, KANA]) for text in ("sunset", "nse", "su")),
        ({"q": "ns"}, []),
        ({"q": "old sunset"}, [CAFE, KANA]),
        ({"q": "IMG_1.jpg"}, [TOKYO]),
        ({"tags": "night"}, [CAFE, TOKYO]),
        ({"tags": ["NIGHT", "sea"]}, [CAFE]),
        ({"tags": "nigh"}, []),
        ({"category": "nature", "q": "orange"}, [BEACH]),
        ({"category": "Nature"}, []),
        ({"category": " カ\u3099ーテ\u3099ン "}, [KANA]),
        ({"category": "カ\u3099ーテ\u3099ン", "sort": "-size_bytes"}, [KANA]),
        ({"category": "ガーデン%"}, []),
        ({"height.gte": "700"}, [KANA]),
        ({"height.gt": "700"}, []),
        ({"height.gt": "699", "width.lt": "101"}, [KANA]),
        ({"size_bytes.lte": "9"}, [BEACH]),
        ({"size_bytes.lt": "9"}, []),
        ({"width.gte": "101", "width.gt": "50", "width.lt": "5000", "width.lte": "4000"}, [TOKYO]),
        ({"q": "sunset", "category": "nature", "tags": "sea", "width.gte": "50"}, [BEACH, CAFE]),
    ],
)
def test_found(four: Stores, query: dict[str, str | list[str]], found: list[Doc]) -> None:
    for limit in (1, 50):
        assert walk(query, limit) == [doc.id for doc in found]


def test_changing_an_image_changes_what_it_is_found_by(four: Stores) -> None:
    assert patch_image(BEACH.id, {"title": "Mountain", "tags": ["Snow"]}).status == 200

    assert walk({"q": "beach"}) == []
    assert walk({"q": "mountain"}) == walk({"tags": "snow"}) == walk({"q": "orange"}) == [BEACH.id]


@pytest.mark.parametrize(
    ("query", "images", "is_always_exact"),
    [
        ([], 4, True),
        *(([("category", "nature")], 2, True), ([("category", "nothing")], 0, True)),
        *(([("tags", "NIGHT")], 2, True), ([("q", "sunset")], 3, False)),
        ([("mime_type", "image/jpeg")], 3, False),
        ([("created_at.gte", "2020-01-01")], 4, False),
        ([("tags", "night"), ("tags", "sea")], 1, True),
        ([("category", "nature"), ("width.gte", "1")], 2, False),
    ],
    ids=str,
)
def test_total(four: Stores, query: list[tuple[str, str]], images: int, is_always_exact: bool) -> None:
    exact = {"value": images, "relation": "exact"}
    assert total(*query) == exact
    assert "total" not in get("/api/images", query).body

    with patch.object(counts, "MAX_COUNTED", 1):
        assert total(*query) == (exact if is_always_exact else {"value": 1, "relation": "at_least"})


@pytest.mark.parametrize("sort", ["title", "-title", "size_bytes", "-size_bytes"])
@pytest.mark.parametrize(
    ("query", "others"),
    [
        ({"tags": "sea"}, ["created_at", "-created_at"]),
        ({"q": "sunset"}, ["created_at", "-created_at", "relevance"]),
        ({"category": "nature", "mime_type": "image/jpeg"}, ["created_at", "-created_at"]),
        ({"created_at.gte": "2020-01-01"}, ["created_at", "-created_at"]),
    ],
)
def test_too_many_to_sort(
    four: Stores, monkeypatch: pytest.MonkeyPatch, sort: str, query: dict[str, str], others: list[str]
) -> None:
    found = len(walk({**query, "sort": sort}))
    monkeypatch.setattr(sort_matches, "MAX_SORTED", found - 1)

    answer = get("/api/images", {**query, "sort": sort})

    assert answer.error == (422, "too_many_to_sort")
    assert answer.body["error"]["details"] == {"max": found - 1, "sorts": others}
    for other in others:
        assert len(walk({**query, "sort": other})) == found


@patch.object(sort_matches, "MAX_SORTED", 1)
@pytest.mark.parametrize("sort", ["title", "-title", "size_bytes", "-size_bytes"])
@pytest.mark.parametrize("query", [{}, {"category": "nature"}])
def test_all_and_a_category_are_never_too_many(four: Stores, sort: str, query: dict[str, str]) -> None:

    assert len(walk({**query, "sort": sort}, 1)) == len(walk(query))


def test_link_to_the_next_page(four: Stores) -> None:
    answer = get("/api/images", [("tags", "night"), ("limit", "1"), ("sort", "created_at")])
    link = answer.headers["link"][0]
    assert link.startswith("<http")
    assert link.endswith('; rel="next"')
    assert "tags=night&limit=1&sort=created_at&cursor=" in link
    assert "link" not in get("/api/images").headers


@pytest.mark.parametrize(
    ("made_for", "used_with"),
    [({"sort": "title"}, {}), ({}, {"sort": "created_at"}), ({"q": "a"}, {"q": "b"}), ({"tags": "a"}, {})],
)
def test_a_cursor_has_its_own_list(stores: Stores, made_for: Json, used_with: Json) -> None:
    insert(stores, [Doc(title="a b", tags=["a"]), Doc(title="a b", tags=["a"])])
    cursor = get("/api/images", {**made_for, "limit": "1"}).body["next_cursor"]
    assert get("/api/images", {**used_with, "cursor": cursor}).error == (400, "cursor_mismatch")


words = st.text(st.sampled_from("ab東京 _é"), max_size=6)
docs = st.lists(
    st.builds(
        Doc,
        id=st.builds(id_of, st.sampled_from(AGES), st.integers(0, 2**62 - 1)),
        title=words,
        description=words,
        tags=st.lists(st.sampled_from(["A", "東京", "x y", "é"]), max_size=2, unique=True).map(tuple),
        category=st.sampled_from(["", "c"]),
        mime_type=st.sampled_from(["image/jpeg", "image/png"]),
        width=st.sampled_from([50, 64, 100, 128, 4000]),
        size_bytes=st.integers(1, 5),
    ),
    max_size=12,
    unique_by=lambda doc: doc.id,
)
queries = st.fixed_dictionaries(
    {},
    optional={
        "q": words.filter(lambda text: bool(normalise(text))),
        "tags": st.sampled_from(["a", "東京", "X Y"]),
        "category": st.sampled_from(["", "c", "d"]),
        "mime_type": st.just("image/png"),
        **{f"width.{name}": st.sampled_from(["1", "64", "101", "4000"]) for name in COMPARISONS},
        **{f"size_bytes.{name}": st.sampled_from(["1", "3"]) for name in COMPARISONS},
        **{f"created_at.{name}": st.sampled_from(AGES).map(moment_of) for name in COMPARISONS},
        "sort": st.sampled_from(sorted(set(ORDERS) - {"relevance"})),
    },
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    *(docs, queries, st.integers(1, 5)),
    *(st.sampled_from(limits) for limits in ([1, 3, 500], [1, 2, 5_000], [1, 3, 8])),
)
def test_every_list_is_what_it_has_to_be(
    stores: Stores, docs: list[Doc], query: Json, limit: int, walked: int, candidates: int, statements: int
) -> None:
    """The expected list comes from plain Python. The limits are low enough to use every code path."""
    stores.clear()
    random.Random(1).shuffle(docs)
    insert(stores, docs)
    limits: Json = {"SCANNED_ROWS": walked, "DENSE_ROWS": walked, "MAX_CANDIDATES": candidates}
    with patch.multiple(time_search, **limits), patch.object(find_page, "MAX_STATEMENTS", statements):
        assert walk(query, limit) == expected(docs, query)
