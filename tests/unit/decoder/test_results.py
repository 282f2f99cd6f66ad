"""Results of a decoder that a file has taken over."""

import io
import json
from typing import Any

import pytest
from imageapi.decoder import results
from imageapi.errors import AppError, TooComplexError
from imageapi.model.picture import MAX_FRAMES, MAX_SIDE

PICTURE = {"width": 64, "height": 48, "frames": 1, "exif": {}, "placeholder": "data:image/webp;base64,AA=="}
SIDES: tuple[Any, ...] = (0, -1, MAX_SIDE + 1, float("inf"), "x", [])
EXIF: tuple[Any, ...] = ([], {"gps": "1"}, {"iso": True}, {"iso": "400"}, {"camera": "a\nb"})
CODES = ("not_found", "image_too_complex", 5, None)
REFUSAL = {"error": "image_corrupt", "message": "It is broken.", "bytes": 0}


def read(line: bytes) -> dict[str, Any]:
    return results.read(io.BytesIO(line + b"\n"))[0]


def test_a_result_as_it_should_be() -> None:
    assert results.parse_picture(PICTURE, b"").width == 64
    with pytest.raises(AppError) as caught:
        read(json.dumps(REFUSAL).encode())
    assert (caught.value.status, caught.value.code) == (422, "image_corrupt")
    assert caught.value.message == "It is broken."


@pytest.mark.parametrize(
    "changed",
    [
        *({name: value} for name in ("width", "height") for value in SIDES),
        *({"frames": value} for value in (0, MAX_FRAMES + 1, None)),
        *({"placeholder": value} for value in ("javascript:alert(1)", 5)),
        *({"exif": value} for value in EXIF),
        *({"exif": {"taken_at": value}} for value in ("yesterday", "2026" * 60)),
    ],
    ids=str,
)
def test_pictures_that_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TooComplexError):
        results.parse_picture(PICTURE | changed, b"")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[" * 10_000,
        b"[]",
        b'{"bytes": -1}',
        b'{"bytes": 1}',
        b'{"bytes": 1e999}',
        b'{"bytes": 99999999999}',
        *(json.dumps(REFUSAL | {"error": code}).encode() for code in CODES),
        *(json.dumps(REFUSAL | {"message": text}).encode() for text in ("x" * 301, "a\nb", None)),
    ],
    ids=lambda line: line[:40].decode(),
)
def test_lines_that_are_refused(line: bytes) -> None:
    with pytest.raises(TooComplexError):
        read(line)


def test_details_are_numbers_or_left_out() -> None:
    for details, expected in (({"width": 5}, {"width": 5}), ({"width": "<script>"}, None), ([1], None)):
        with pytest.raises(AppError) as caught:
            read(json.dumps(REFUSAL | {"details": details}).encode())
        assert caught.value.details == expected
