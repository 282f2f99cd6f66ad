"""Properties of damaged pictures: read or refused, and broken EXIF loses at most the facts in it."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.pictures.inspect import Picture, inspect

from tests.support import pictures
from tests.unit.http.test_forms_properties import attempt, check, is_storable

CAMERA_JPEG = pictures.camera_jpeg()
EXIF_START = CAMERA_JPEG.index(b"Exif\0\0") + 6
EXIF_END = EXIF_START - 8 + int.from_bytes(CAMERA_JPEG[EXIF_START - 8 : EXIF_START - 6], "big")
SAMPLES = {name: make() for name, make in pictures.ALL_GOOD.items() if "orientation" not in name}

exif_changes = st.dictionaries(
    st.integers(EXIF_START, EXIF_END - 1), st.integers(0, 255), min_size=1, max_size=8
)
changes_anywhere = st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=4)), max_size=4)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


@check
@given(exif_changes)
def test_broken_exif_costs_the_facts_at_most(changes: dict[int, int]) -> None:
    data = bytearray(CAMERA_JPEG)
    for position, value in changes.items():
        data[position] = value
    picture = inspect(io.BytesIO(data), pictures.MAX_PIXELS)
    assert {picture.width, picture.height} == {64, 48}
    json.dumps(picture.exif, allow_nan=False)
    assert all(is_storable(value) for value in picture.exif.values() if isinstance(value, str))


@check
@given(st.sampled_from(sorted(SAMPLES)), changes_anywhere)
def test_any_damage_is_read_or_refused(name: str, changes: list[tuple[float, bytes]]) -> None:
    data = bytearray(SAMPLES[name])
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    picture = attempt(inspect, io.BytesIO(data), 1_000_000)
    if isinstance(picture, Picture):
        assert 0 < picture.width * picture.height <= 1_000_000
