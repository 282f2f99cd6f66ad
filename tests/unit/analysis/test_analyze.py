"""Processing of Gemini's responses, without Gemini or a database."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.analysis import analyze, gemini
from imageapi.analysis.gemini import (
    GeminiUnavailableError,
    find_retry_after,
    parse_description,
)
from imageapi.database import db
from imageapi.errors import DatabaseUnavailableError
from imageapi.images.serialize import serialize_analysis

from tests.support.gemini_server import SAFE
from tests.support.settings import use_settings

GOOD = {"caption": "A cat.", "tags": ["Cat", " cat ", "sofa"], "text_seen": "", "safety": SAFE}


def test_a_good_answer() -> None:
    found = parse_description(json.dumps(GOOD), "gemini-x")

    assert (found["caption"], found["tags"], found["text_seen"]) == ("A cat.", ("cat", "sofa"), "")
    assert found["safety"] == SAFE
    assert found["model"] == "gemini-x"


def test_long_answers_are_cut_and_control_characters_go() -> None:
    answer = GOOD | {
        "caption": "a\x00b\n" + "c" * 1000,
        "tags": [f"tag {n}" for n in range(99)] + ["x" * 99],
        "text_seen": "日本語 " * 2000,
    }

    found = parse_description(json.dumps(answer), "m")

    assert found["caption"].startswith("a b ccc")
    assert len(found["caption"]) == gemini.MAX_CAPTION
    assert len(found["tags"]) == gemini.MAX_TAGS
    assert len(found["text_seen"]) <= gemini.MAX_TEXT_SEEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '"text"',
        json.dumps(GOOD)[:-20],
        json.dumps({key: value for key, value in GOOD.items() if key != "caption"}),
        json.dumps(GOOD | {"tags": [1]}),
        json.dumps(GOOD | {"tags": None}),
        json.dumps(GOOD | {"caption": None}),
        json.dumps(GOOD | {"safety": {}}),
        json.dumps(GOOD | {"safety": {**SAFE, "adult": "VERY"}}),
        json.dumps(GOOD | {"safety": {**SAFE, "adult": ["likely"]}}),
        json.dumps(GOOD | {"safety": list(SAFE)}),
    ],
)
def test_an_answer_that_cannot_be_used(text: str) -> None:
    with pytest.raises(GeminiUnavailableError) as caught:
        parse_description(text, "m")
    assert (caught.value.code, caught.value.status) == ("analysis_unavailable", 503)
    assert caught.value.retry_after


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
NAMES = st.sampled_from(list(GOOD)) | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_any_json_is_a_description_or_refused(value: Any) -> None:
    try:
        parse_description(json.dumps(value), "m")
    except GeminiUnavailableError:
        return


def retry_info(delay: str) -> dict[str, Any]:
    return {
        "error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}
    }


@pytest.mark.parametrize(
    ("code", "details", "seconds"),
    [
        (429, retry_info("34.07s"), 35),
        (429, retry_info("0s"), 1),
        (429, retry_info("999999s"), gemini.MAX_RETRY_AFTER),
        (429, retry_info("soon"), 30),
        (429, {"error": {}}, 30),
        (429, None, 30),
        (503, {"error": {"details": "text"}}, 10),
        (500, ["list"], 10),
        (500, {"error": {"details": [None, "x", {}]}}, 10),
    ],
)
def test_when_to_come_back(code: int, details: Any, seconds: int) -> None:
    assert find_retry_after(code, details) == seconds


def test_how_an_analysis_is_shown() -> None:
    row = {
        "status": "ready",
        "failure": None,
        "caption": "A cat.",
        "tags": ["cat", "sofa"],
        "text_seen": "",
        "safety": SAFE,
        "model": "m",
        "analyzed_at": datetime(2026, 1, 2, tzinfo=UTC),
        "attempts": 0,
        "lease_until": None,
    }

    shown = serialize_analysis(row)

    assert shown["analyzed_at"] == "2026-01-02T00:00:00+00:00"
    assert "attempts" not in shown
    assert serialize_analysis(row | {"analyzed_at": None})["analyzed_at"] is None


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
