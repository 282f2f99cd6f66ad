"""Processing of Gemini's responses, without Gemini or a database."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.analysis import analyze, gemini
from imageapi.analysis.gemini import GeminiUnavailableError, find_retry_after, parse_description
from imageapi.database import db
from imageapi.errors import DatabaseUnavailableError
from imageapi.images.serialize import serialize_analysis

from tests.support.gemini_server import SAFE
from tests.support.settings import use_settings

GOOD = {"caption": "A cat.", "tags": ["Cat", " cat ", "sofa"], "text_seen": "", "safety": SAFE}


def test_a_good_answer() -> None:
    expected = GOOD | {"tags": ("cat", "sofa"), "model": "gemini-x"}
    assert parse_description(json.dumps(GOOD), "gemini-x") == expected


def test_long_answers_are_cut_and_control_characters_go() -> None:
    tags = ["x" * 99, *(f"tag {n}" for n in range(99))]
    answer = GOOD | {"caption": "a\x00b\n" + "c" * 1000, "tags": tags, "text_seen": "日本語 " * 2000}

    found = parse_description(json.dumps(answer), "m")

    assert found["caption"] == ("a b " + "c" * 1000)[: gemini.MAX_CAPTION]
    assert found["tags"] == ("x" * gemini.MAX_TAG, *(f"tag {n}" for n in range(gemini.MAX_TAGS - 1)))
    assert found["text_seen"] == ("日本語 " * 2000)[: gemini.MAX_TEXT_SEEN].rstrip()


UNUSABLE: list[dict[str, Any]] = [
    *({"tags": [1]}, {"tags": None}, {"caption": None}, {"safety": {}}, {"safety": list(SAFE)}),
    *({"safety": {**SAFE, "adult": "VERY"}}, {"safety": {**SAFE, "adult": ["likely"]}}),
]


@pytest.mark.parametrize(
    "text",
    [
        *("", "not json", "[]", "null", '"text"', json.dumps(GOOD)[:-20], '{"tags": []}'),
        *(json.dumps(GOOD | change) for change in UNUSABLE),
    ],
)
def test_an_answer_that_cannot_be_used(text: str) -> None:
    with pytest.raises(GeminiUnavailableError) as caught:
        parse_description(text, "m")
    error = caught.value
    assert (error.status, error.code, error.retry_after) == (503, "analysis_unavailable", 10)


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
NAMES = st.sampled_from(list(GOOD)) | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_any_json_is_a_description_or_refused(value: Any) -> None:
    with suppress(GeminiUnavailableError):
        parse_description(json.dumps(value), "m")


def retry_info(delay: str) -> dict[str, Any]:
    return {"error": {"details": [{"@type": "…/google.rpc.RetryInfo", "retryDelay": delay}]}}


@pytest.mark.parametrize(
    ("code", "details", "seconds"),
    [
        *((429, retry_info("34.07s"), 35), (429, retry_info("0s"), 1), (429, retry_info("soon"), 30)),
        (429, retry_info("999999s"), gemini.MAX_RETRY_AFTER),
        *((429, {"error": {}}, 30), (429, None, 30), (500, ["list"], 10)),
        *((503, {"error": {"details": "text"}}, 10), (500, {"error": {"details": [None, "x", {}]}}, 10)),
    ],
)
def test_when_to_come_back(code: int, details: Any, seconds: int) -> None:
    assert find_retry_after(code, details) == seconds


def test_an_analysis_that_is_not_made_yet_is_shown() -> None:
    row = dict.fromkeys(("failure", "caption", "tags", "text_seen", "safety", "model", "analyzed_at"))

    assert serialize_analysis(row | {"status": "queued", "attempts": 0}) == row | {"status": "queued"}


def test_why_a_lease_could_not_be_given_back_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise DatabaseUnavailableError from OSError("connection refused")

    monkeypatch.setattr(db, "query", fail)
    taken = {"image_id": "an-id", "analyzed_at": None, "attempts": 1, "lease_token": 1}
    settings = {"DB_HOST": "db.invalid", "MINIO_BUCKET_NAME": "images", "ANALYZE_UPLOADS": "true"}
    with use_settings(monkeypatch, settings):
        analyze._release_lease(taken, GeminiUnavailableError("busy"))

    facts = vars(caplog.records[-1])
    assert (facts["image_id"], facts["code"]) == ("an-id", "database_unavailable")
    assert "connection refused" in caplog.text
