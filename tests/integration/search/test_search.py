"""Lists with filters, searches and orders on real rows, compared with the expected results."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imageapi.model.text import normalise
from imageapi.search import counts, find_page, sort_matches, time_search

from tests.integration.client import get
from tests.integration.searchable import AGES, Doc, expected, id_of, insert, moment_of, total, walk
from tests.integration.stores import Stores

TOKYO = Doc(
    title="東京タワーの夜景", tags=("東京", "Night"), category="旅行", filename="IMG_1.jpg", width=4000
)
BEACH = Doc(title="Sunset at the beach", tags=("sea",), category="nature", description="orange", size_bytes=9)
KANA = Doc(title="ｶﾀｶﾅ テスト", category="x", filename="sunset_old.png", mime_type="image/png", height=700)
CAFE = Doc(title="Café déjà vu", description="an old sunset photo", tags=("Night", "sea"), category="nature")
DOCS = [TOKYO, BEACH, KANA, CAFE]


@pytest.fixture
def four(stores: Stores) -> Stores:
    insert(stores, DOCS)
    return stores


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [CAFE, KANA, BEACH, TOKYO]),
        ({"sort": "oldest"}, DOCS),
        ({"sort": "size"}, [CAFE, KANA, TOKYO, BEACH]),
        ({"sort": "title"}, [CAFE, BEACH, KANA, TOKYO]),
        ({"q": "東"}, [TOKYO]),
        ({"q": "夜景"}, [TOKYO]),
        ({"q": "タワーの夜"}, [TOKYO]),
        ({"q": "京東"}, []),
        ({"q": "カタカナ"}, [KANA]),
        ({"q": "ＣＡＦＥ"}, [CAFE]),
        ({"q": "sunset"}, [BEACH, CAFE, KANA]),
        ({"q": "sunset", "sort": "newest"}, [CAFE, KANA, BEACH]),
        ({"q": "nse"}, [BEACH, CAFE, KANA]),
        ({"q": "su"}, [BEACH, CAFE, KANA]),
        ({"q": "ns"}, []),
        ({"q": "old sunset"}, [CAFE, KANA]),
        ({"q": "img 1"}, [TOKYO]),
        ({"q": "IMG_1.jpg"}, [TOKYO]),
        ({"q": "zanzibar"}, []),
        ({"tag": "night"}, [CAFE, TOKYO]),
        ({"tag": ["NIGHT", "sea"]}, [CAFE]),
        ({"tag": "nigh"}, []),
        ({"category": "nature"}, [CAFE, BEACH]),
        ({"category": "nature", "sort": "oldest"}, [BEACH, CAFE]),
        ({"category": "nature", "q": "orange"}, [BEACH]),
        ({"category": "Nature"}, []),
        ({"mime_type": "image/png"}, [KANA]),
        ({"mime_type": "image/gif"}, []),
        ({"min_width": "101"}, [TOKYO]),
        ({"min_height": "700"}, [KANA]),
        ({"min_height": "701"}, []),
        ({"q": "sunset", "category": "nature", "tag": "sea", "min_width": "50"}, [BEACH, CAFE]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_found(four: Stores, query: dict[str, str | list[str]], found: list[Doc], limit: int) -> None:
    assert walk(query, limit) == [doc.id for doc in found]


def test_created_between(stores: Stores) -> None:
    start = datetime(2026, 4, 1, tzinfo=UTC)
    docs = [
        Doc(
            id=f"{int((start + timedelta(hours=h)).timestamp() * 1000):012x}".join(
                ("", "-7000-8000-000000000000")
            )
        )
        for h in range(5)
    ]
    for doc in docs:
        doc.id = f"{doc.id[:8]}-{doc.id[8:]}"
    insert(stores, docs)

    def between(after: int | None, before: int | None, **more: str) -> list[str]:
        query = dict(more)
        if after is not None:
            query["created_after"] = (start + timedelta(hours=after)).isoformat()
        if before is not None:
            query["created_before"] = (start + timedelta(hours=before)).isoformat()
        return walk(query, 2)

    ids = [doc.id for doc in docs]
    assert between(1, 3) == ids[1:3][::-1]
    assert between(3, None) == ids[3:][::-1]
    assert between(None, 1, sort="oldest") == ids[:1]
    assert between(1, 4, sort="title") == ids[1:4]


def test_changing_an_image_changes_what_it_is_found_by(four: Stores) -> None:
    from tests.integration.client import send
    from tests.support.events import API_KEY, make_event

    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    body = b'{"title": "Mountain", "tags": ["Snow"]}'
    assert send(make_event("PATCH", f"/api/images/{BEACH.id}", headers, (), body)).status == 200

    assert walk({"q": "beach"}) == []
    assert walk({"q": "mountain"}) == walk({"tag": "snow"}) == walk({"q": "orange"}) == [BEACH.id]


EXACT: dict[str, list[tuple[str, str]]] = {
    "all": [],
    "a category": [("category", "nature")],
    "no such category": [("category", "nothing")],
    "a tag": [("tag", "NIGHT")],
}
COUNTED: dict[str, list[tuple[str, str]]] = {
    "words": [("q", "sunset")],
    "a type": [("mime_type", "image/jpeg")],
    "a range of time": [("created_after", "2020-01-01")],
    "two tags": [("tag", "night"), ("tag", "sea")],
    "category and size": [("category", "nature"), ("min_width", "1")],
}


@pytest.mark.parametrize("name", [*EXACT, *COUNTED])
def test_total(four: Stores, name: str) -> None:
    query = {**EXACT, **COUNTED}[name]

    assert total(*query) == {"value": len(walk(_as_dict(query))), "relation": "exact"}


@pytest.mark.parametrize("name", [*EXACT, *COUNTED])
def test_total_beyond_what_is_counted(four: Stores, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(counts, "MAX_COUNTED", 1)
    query = {**EXACT, **COUNTED}[name]
    images = len(walk(_as_dict(query)))

    if name in EXACT or images <= 1:
        assert total(*query) == {"value": images, "relation": "exact"}
    else:
        assert total(*query) == {"value": 1, "relation": "at_least"}


def _as_dict(query: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: [value for other, value in query if other == name] for name, _ in query}


def test_total_is_only_told_when_it_is_asked_for(four: Stores) -> None:
    assert "total" not in get("/api/images", {"q": "sunset"}).body


@pytest.mark.parametrize("sort", ["title", "size"])
@pytest.mark.parametrize(
    ("query", "others"),
    [
        ({"tag": "sea"}, ["newest", "oldest"]),
        ({"q": "sunset"}, ["newest", "oldest", "relevance"]),
        ({"category": "nature", "mime_type": "image/jpeg"}, ["newest", "oldest"]),
        ({"created_after": "2020-01-01"}, ["newest", "oldest"]),
    ],
)
def test_too_many_to_sort(
    four: Stores, monkeypatch: pytest.MonkeyPatch, sort: str, query: dict[str, str], others: list[str]
) -> None:
    found = len(walk({**query, "sort": sort}))
    monkeypatch.setattr(sort_matches, "MAX_SORTED", found - 1)

    answer = get("/api/images", {**query, "sort": sort})

    assert (answer.status, answer.code) == (422, "too_many_to_sort")
    assert answer.body["error"]["details"] == {"max": found - 1, "sorts": others}
    for other in others:
        assert len(walk({**query, "sort": other})) == found


@pytest.mark.parametrize("sort", ["title", "size"])
@pytest.mark.parametrize("query", [{}, {"category": "nature"}])
def test_all_and_a_category_are_never_too_many_to_sort(
    four: Stores, monkeypatch: pytest.MonkeyPatch, sort: str, query: dict[str, str]
) -> None:
    monkeypatch.setattr(sort_matches, "MAX_SORTED", 1)

    assert len(walk({**query, "sort": sort}, 1)) == len(walk(query))


def test_the_shape_of_a_character_makes_no_difference(stores: Stores) -> None:
    doc = Doc(title="葛\U000e0100城市の写真", tags=("猫\ufe0f",))
    insert(stores, [doc])

    for query in ({"q": "葛城市"}, {"q": "葛\U000e0100城"}, {"tag": "猫"}):
        assert walk(query) == [doc.id]


def test_link_to_the_next_page(four: Stores) -> None:
    answer = get("/api/images", [("tag", "night"), ("limit", "1"), ("sort", "oldest")])
    link = answer.headers["link"][0]
    assert link.startswith("<http")
    assert link.endswith('; rel="next"')
    assert "tag=night&limit=1&sort=oldest&cursor=" in link
    assert "link" not in get("/api/images").headers


@pytest.mark.parametrize(
    ("made_for", "used_with"),
    [({"sort": "title"}, {}), ({}, {"sort": "oldest"}), ({"q": "a"}, {"q": "b"}), ({"tag": "a"}, {})],
)
def test_a_cursor_belongs_to_its_list(
    stores: Stores, made_for: dict[str, str], used_with: dict[str, str]
) -> None:
    insert(stores, [Doc(title="a b", tags=["a"]), Doc(title="a b", tags=["a"])])
    cursor = get("/api/images", {**made_for, "limit": "1"}).body["next_cursor"]
    answer = get("/api/images", {**used_with, "cursor": cursor})
    assert (answer.status, answer.code) == (400, "cursor_mismatch")


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
        "tag": st.sampled_from(["a", "東京", "X Y"]),
        "category": st.sampled_from(["", "c", "d"]),
        "mime_type": st.just("image/png"),
        "min_width": st.sampled_from(["1", "64", "101", "4000"]),
        "created_after": st.sampled_from(AGES).map(moment_of),
        "created_before": st.sampled_from(AGES).map(moment_of),
        "sort": st.sampled_from(["newest", "oldest", "title", "size"]),
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    docs,
    queries,
    st.integers(1, 5),
    st.sampled_from([1, 3, 500]),
    st.sampled_from([1, 2, 5_000]),
    st.sampled_from([1, 3, 8]),
)
def test_every_list_is_what_it_has_to_be(
    stores: Stores,
    docs: list[Doc],
    query: dict[str, str],
    limit: int,
    walked: int,
    candidates: int,
    statements: int,
) -> None:
    """Compared with plain Python, with limits low enough that every code path is used."""
    stores.clear()
    random.Random(1).shuffle(docs)
    insert(stores, docs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_search, "SCANNED_ROWS", walked)
        patch.setattr(time_search, "DENSE_ROWS", walked)
        patch.setattr(time_search, "MAX_CANDIDATES", candidates)
        patch.setattr(find_page, "MAX_STATEMENTS", statements)
        assert walk(query, limit) == expected(docs, query)
