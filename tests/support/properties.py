"""Settings, texts, and refusals as values, for property-based tests."""

import json
import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from imageapi.errors import AppError

T = TypeVar("T")

check = settings(
    max_examples=150,
    derandomize=bool(os.environ.get("CI")),
    database=None,
)
any_text = st.text(st.characters(), max_size=400)  # lone surrogates and controls included
utf8_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def is_storable(text: str) -> bool:
    """PostgreSQL accepts UTF-8 without NUL."""
    return "\0" not in text and text.encode("utf-8", "replace").decode() == text


def attempt(function: Callable[..., T], *arguments: object) -> T | AppError:
    """The function's result, or its refusal, which must be a client error that can be sent as JSON."""
    try:
        return function(*arguments)
    except AppError as caught:
        error = caught
    assert 400 <= error.status < 500
    json.dumps([error.message, error.details], ensure_ascii=False).encode()
    return error
