"""The request of a batch, checked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.model.ids import is_id
from imageapi.model.metadata import validate_changes
from imageapi.model.parameters import InvalidFieldError, check_fields

MAX_IDS = 200
OPERATIONS = {
    "set_category": "category",
    "add_tags": "tags",
    "remove_tags": "tags",
    "trash": None,
    "restore": None,
    "delete": None,
}
"""Each operation, and the field that it takes."""
_FIELDS = ("ids", "operation", "category", "tags", "atomic")


@dataclass(frozen=True)
class BatchRequest:
    """A checked request.

    Attributes:
        ids: in lower case, all different.
        changes: ``category`` or ``tags``, clean; empty if the operation takes neither.
        atomic: one transaction for all ids, not one for each.
    """

    ids: tuple[str, ...]
    operation: str
    changes: dict[str, Any] = field(default_factory=dict)
    atomic: bool = False

    @property
    def deletes_for_good(self) -> bool:
        """Whether nothing comes back from it."""
        return self.operation == "delete" or (self.operation == "trash" and not get_settings().trash_days)


def parse_batch(values: Mapping[str, Any]) -> BatchRequest:
    """Check a request.

    Raises:
        InvalidFieldError: a field of the request.
    """
    check_fields(values, _FIELDS, required=("ids", "operation"))
    operation, atomic = values.get("operation"), values.get("atomic", False)
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise InvalidFieldError(
            "operation", "value", f"must be one of {', '.join(OPERATIONS)}", allowed=list(OPERATIONS)
        )
    if not isinstance(atomic, bool):
        raise InvalidFieldError("atomic", "type", "must be true or false")
    changes = _parse_changes(values, operation)
    return BatchRequest(_parse_ids(values.get("ids")), operation, changes, atomic)


def _parse_changes(values: Mapping[str, Any], operation: str) -> dict[str, Any]:
    wanted = OPERATIONS[operation]
    for name in ("category", "tags"):
        if name == wanted and name not in values:
            raise InvalidFieldError(name, "required", f"is required to {operation}")
        if name != wanted and name in values:
            raise InvalidFieldError(name, "unknown", f"is not allowed with {operation}")
    changes = validate_changes({name: values[name] for name in (wanted,) if name})
    if wanted == "tags" and not changes["tags"]:
        raise InvalidFieldError("tags", "value", "must contain at least one tag")
    return changes


def _parse_ids(ids: Any) -> tuple[str, ...]:
    if not isinstance(ids, list) or not ids:
        raise InvalidFieldError("ids", "type", f"must be a list of 1 to {MAX_IDS} ids")
    if len(ids) > MAX_IDS:
        raise InvalidFieldError("ids", "too_many", f"has more than {MAX_IDS} entries", max=MAX_IDS)
    for place, item in enumerate(ids):
        if not isinstance(item, str) or not is_id(item):
            raise InvalidFieldError(f"ids.{place}", "value", "is not an id")
    parsed = tuple(item.lower() for item in ids)
    for place, item in enumerate(parsed):
        if item in parsed[:place]:
            raise InvalidFieldError(f"ids.{place}", "repeated", "appears more than once", id=item)
    return parsed
