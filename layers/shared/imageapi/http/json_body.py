"""JSON objects in requests."""

import json
from typing import Any

from imageapi.errors import InvalidRequestError, UnprocessableError

MAX_JSON_BYTES = 65_536


def parse_json_object(text: bytes | str, name: str = "metadata") -> dict[str, Any]:
    """Parse a JSON object out of a request.

    Raises:
        InvalidRequestError: ``<name>_not_json``.
        UnprocessableError: ``<name>_too_long`` or ``<name>_not_an_object``.
    """
    if len(text) > MAX_JSON_BYTES:
        raise UnprocessableError(
            f"The {name} is longer than {MAX_JSON_BYTES:,} bytes.",
            code=f"{name}_too_long",
            details={"max_bytes": MAX_JSON_BYTES},
        )
    try:
        value = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(
            f"The {name} is not valid JSON in UTF-8.", code=f"{name}_not_json"
        ) from error
    if not isinstance(value, dict):
        raise UnprocessableError(f"The {name} must be a JSON object.", code=f"{name}_not_an_object")
    return value
