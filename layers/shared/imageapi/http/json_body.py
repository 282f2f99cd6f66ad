"""JSON objects in requests."""

import json
from typing import Any

from imageapi.errors import InvalidBodyError, PayloadTooLargeError

MAX_JSON_BYTES = 65_536


def parse_json_object(text: bytes | str, name: str = "body") -> dict[str, Any]:
    """Parse a JSON object of a request.

    Args:
        name: names the object in messages.

    Raises:
        InvalidBodyError: the text is not JSON (reason json) or not an object (reason type).
        PayloadTooLargeError: it is longer than MAX_JSON_BYTES.
    """
    if len(text) > MAX_JSON_BYTES:
        raise PayloadTooLargeError(
            f"The {name} is longer than {MAX_JSON_BYTES:,} bytes.", details={"max_bytes": MAX_JSON_BYTES}
        )
    try:
        value = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidBodyError("json", f"The {name} is not valid JSON in UTF-8.") from error
    if not isinstance(value, dict):
        raise InvalidBodyError("type", f"The {name} must be a JSON object.")
    return value
