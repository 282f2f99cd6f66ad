"""The history of one image: its changes, newest first."""

from imageapi.catalog import changes, trash
from imageapi.changes.cursor import MAX_NUMBER, decode_position, encode_position, position_of
from imageapi.changes.serialize import fit, serialize_page
from imageapi.errors import ImageNotFoundError
from imageapi.model.ids import parse_id


def read_history(image_id: str, limit: int, cursor: str | None) -> tuple[str, str | None]:
    """A page of the history of an image, which can be in the trash or deleted.

    Returns:
        ``{"changes": [Change], "next_cursor": str | None}`` as JSON text, and the cursor. Changes that the
        feed no longer keeps are missing.

    Raises:
        ImageNotFoundError: neither the image nor a change of it exists.
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
    """
    image_id = parse_id(image_id)
    filters = {"list": "history", "image": image_id}
    before = MAX_NUMBER if cursor is None else decode_position(cursor, filters).sequence
    rows = changes.find_of_image(image_id, before, limit + 1)
    if not rows and cursor is None and not trash.find_places([image_id]):
        raise ImageNotFoundError()
    page = fit(rows[:limit])
    more = len(rows) > len(page)
    last = encode_position(position_of(page[-1]["sequence"], page[-1]["time"]), filters) if more else None
    return serialize_page(page, last), last
