"""Ids: one spelling each, anything else is not found; and their timestamps."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import NotFoundError
from imageapi.model.ids import MAX_MILLISECONDS, largest_id, milliseconds_of, new_id, parse_id, smallest_id

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"


@given(st.uuids())
def test_every_id_is_read_as_itself(value: UUID) -> None:
    assert parse_id(str(value)) == parse_id(str(value).upper()) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", ID[:-1], ID + "0", ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID, ID[:-1] + "g"),
        *(ID.replace("-", "") + "----", "{" + ID.replace("-", "") + "}--", ID[:-1] + "_"),
        *(ID + "\n", " " + ID[1:], "../../../../../../etc/passwd/////////", "%" * 36, "\0" * 36),
    ],
)
def test_what_is_no_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        parse_id(text)
    assert caught.value.code == "image_not_found"


@given(st.integers(0, MAX_MILLISECONDS - 1))
def test_an_id_tells_its_moment(milliseconds: int) -> None:
    assert smallest_id(milliseconds) == UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)
    assert milliseconds_of(smallest_id(milliseconds)) == milliseconds
    assert largest_id(milliseconds).int + 1 == milliseconds + 1 << 80


def test_a_new_id_has_the_time_of_now() -> None:
    made, moment = new_id()
    assert parse_id(made) == made
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=5)
    assert milliseconds_of(UUID(made)) == round(moment.timestamp() * 1000)
