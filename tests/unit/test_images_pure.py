"""Ids: one spelling each, and everything else is not found."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import NotFoundError
from imageapi.images import parse_id

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"


def test_an_id_is_read() -> None:
    assert parse_id(ID) == ID
    assert parse_id(ID.upper()) == ID


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", ID[:-1], ID + "0", ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID, ID[:-1] + "g"),
        *(ID + "\n", " " + ID[1:], "../../../../../../etc/passwd/////////", "%" * 36, "\0" * 36),
    ],
)
def test_what_is_no_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        parse_id(text)
    assert caught.value.code == "image_not_found"


@pytest.mark.parametrize(
    "text",
    [ID.replace("-", "") + "----", "{" + ID.replace("-", "") + "}--", "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0_"],
)
def test_one_id_has_one_spelling(text: str) -> None:
    with pytest.raises(NotFoundError):
        parse_id(text)


@given(st.uuids())
def test_every_id_is_read_as_itself(value: UUID) -> None:
    assert parse_id(str(value)) == str(value)


@given(st.one_of(st.text(), st.text("0123456789abcdefABCDEF-{}_ ", min_size=36, max_size=36)))
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    try:
        found = parse_id(text)
    except NotFoundError:
        return
    assert str(UUID(found)) == found
