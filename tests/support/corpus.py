"""Millions of rows: skewed, Japanese and English, identical to what the service would write."""

import io
import random
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import psycopg2.extensions

from tests.support.postgres import without_time_limit

CHUNK = 20_000
START = 1_700_000_000_000
"""The first row's time, in milliseconds since 1970; each further row is a second later."""
COLUMNS = (
    "id, title, description, category, tags, filename, s3_key, mime_type, size_bytes, width, height,"
    " sha256, placeholder, exif, created_at, updated_at, search_text, strong_length, tokens,"
    " tag_keys, title_key"
)
COMMON_WORD, RARE_WORD, ABSENT_WORD = "photo", "zanzibar", "xylophonist"
RARE_EVERY = 50_000

PLACES = [
    *("東京", "京都", "大阪", "札幌", "福岡", "名古屋", "横浜", "神戸", "奈良", "鎌倉", "日光"),
    *("箱根", "沖縄", "金沢", "広島", "長崎", "仙台", "函館", "富士山", "琵琶湖"),
]
THINGS = [
    *("夜景", "夕焼け", "桜並木", "紅葉", "花火大会", "雪景色", "朝市", "神社", "お寺", "城下町"),
    *("海岸線", "温泉街", "商店街", "路面電車", "新幹線", "猫"),
]
ENGLISH = [
    *("sunset", "beach", "mountain", "river", "forest", "city", "night", "portrait", "wedding"),
    *("travel", "street", "garden", "flower", "bridge", "harbour", "island", "snow", "autumn"),
    *("spring", "summer", "winter", "festival", "market", "temple", "castle", "museum", "coffee"),
    *("kitchen", "bicycle", "train"),
]
CATEGORIES = [
    *("nature", "city", "people", "food", "travel", "animals", "art", "architecture", "sports"),
    *("events", "旅行", "風景", "料理", "人物"),
]
SIZES = ((4032, 3024), (3024, 4032), (1920, 1080), (1200, 800), (800, 600), (6000, 4000), (640, 640))
TYPES = (*[("image/jpeg", "jpg")] * 3, ("image/png", "png"), ("image/webp", "webp"))


def make_row(number: int) -> dict[str, Any]:
    """The columns of row ``number``; reproducible."""
    pick = random.Random(number)
    japanese = pick.random() < 0.5
    if japanese:
        title = f"{_skewed(pick, PLACES)}の{_skewed(pick, THINGS)}"
        description = (
            f"{_skewed(pick, PLACES)}で撮った{_skewed(pick, THINGS)}です。{_skewed(pick, THINGS)}も見えます。"
        )
    else:
        title = f"{_skewed(pick, ENGLISH)} {_skewed(pick, ENGLISH)} {number}"
        description = f"A {COMMON_WORD} of the {_skewed(pick, ENGLISH)} by the {_skewed(pick, ENGLISH)}."
    if number % RARE_EVERY == 7:
        description += f" {RARE_WORD}"
    width, height = pick.choice(SIZES)
    mime_type, extension = pick.choice(TYPES)
    image_id, moment = make_id(number, pick), datetime.fromtimestamp(START / 1000 + number, UTC).isoformat()
    return {
        "id": image_id,
        "title": title,
        "description": description,
        "category": _skewed(pick, CATEGORIES),
        "tags": sorted({_skewed(pick, ENGLISH), _skewed(pick, PLACES)}),
        "filename": f"IMG_{number:07d}.{extension}",
        "s3_key": f"originals/{image_id}.{extension}",
        "mime_type": mime_type,
        "size_bytes": pick.randint(50_000, 9_000_000),
        "width": width,
        "height": height,
        "sha256": f"\\x{pick.getrandbits(256):064x}",
        "placeholder": "data:image/webp;base64," + "A" * 100,
        "exif": '{"camera": "Example 1"}',
        "created_at": moment,
        "updated_at": moment,
    }


def find_tokens(row: dict[str, Any]) -> dict[str, Any]:
    """What the service stores beside the row for searches. Text fields that the row lacks are empty."""
    from imageapi.model.metadata import TEXT_FIELDS
    from imageapi.search.tokens import index_values

    return index_values({**dict.fromkeys(TEXT_FIELDS, ""), **row, "id": str(row["id"])})


def make_id(number: int, pick: random.Random) -> UUID:
    """A UUIDv7 of the row's time (RFC 9562, 5.7)."""
    high = (START + number * 1000) << 80 | 7 << 76 | pick.getrandbits(12) << 64
    return UUID(int=high | 2 << 62 | pick.getrandbits(62))


@without_time_limit()
def fill(cursor: psycopg2.extensions.cursor, rows: int, first: int = 0, *, churn: bool = False) -> float:
    """Add ``rows`` rows with COPY; returns the seconds taken.

    Args:
        churn: keep the indexes in place, as for single uploads; then change a tenth and delete a tenth.
            Otherwise the indexes are built at the end.
    """
    start = time.perf_counter()
    indexes = [] if churn else _drop_indexes(cursor)
    cursor.execute("ALTER TABLE image_metadata DISABLE TRIGGER USER")
    with ProcessPoolExecutor(max_workers=2) as pool:
        starts = range(first, first + rows, CHUNK)
        for text in pool.map(partial(_make_chunk, end=first + rows), starts):
            cursor.copy_expert(f"COPY image_metadata ({COLUMNS}) FROM STDIN", io.StringIO(text))
    for definition in indexes:
        cursor.execute(definition)
    if churn:
        _churn(cursor, rows, first)
    cursor.execute("ALTER TABLE image_metadata ENABLE TRIGGER USER")
    cursor.execute(
        """TRUNCATE facet_counts, facet_changes;
           INSERT INTO facet_counts SELECT 'all', '', count(*) FROM image_metadata;
           INSERT INTO facet_counts SELECT 'category', category, count(*) FROM image_metadata
           GROUP BY category;
           INSERT INTO facet_counts SELECT 'tag', tag, count(*) FROM image_metadata, unnest(tag_keys) AS tag
           GROUP BY tag;"""
    )
    if not churn:  # a table in use has only autovacuum
        cursor.execute("VACUUM ANALYZE image_metadata")
    return time.perf_counter() - start


def _churn(cursor: psycopg2.extensions.cursor, rows: int, first: int) -> None:
    """Give every tenth row the title, text and tags of another, and delete every tenth."""
    for number in range(first, first + rows, 10):
        row, other = make_row(number), make_row(number + rows)
        row |= {name: other[name] for name in ("title", "description", "category", "tags")}
        row["id"] = str(row["id"])
        values = {**row, **find_tokens(row)}
        assignments = ", ".join(f"{name} = %({name})s" for name in values if name not in ("id", "sha256"))
        cursor.execute(f"UPDATE image_metadata SET {assignments} WHERE id = %(id)s", values)
        cursor.execute("DELETE FROM image_metadata WHERE id = %s", (str(make_row(number + 5)["id"]),))


def _drop_indexes(cursor: psycopg2.extensions.cursor) -> list[str]:
    """Returns their definitions."""
    cursor.execute(
        """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'image_metadata'
           AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname"""
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in indexes]


def _make_chunk(start: int, end: int) -> str:
    lines = []
    for number in range(start, min(start + CHUNK, end)):
        row = make_row(number)
        lines.append("\t".join(_escape(value) for value in {**row, **find_tokens(row)}.values()))
    return "\n".join(lines) + "\n"


def _escape(value: object) -> str:
    """A value in COPY's text format."""
    if isinstance(value, list):
        value = "{" + ",".join(map(str, value)) + "}"
    return str(value).replace("\\", "\\\\")


def _skewed(pick: random.Random, words: list[str]) -> str:
    """A word: the first ones often, the last ones rarely."""
    return words[min(int(pick.expovariate(5.0 / len(words))), len(words) - 1)]
