"""The request of a batch, checked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.errors import UnprocessableError
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
_refuse = partial(InvalidFieldError, code="batch_invalid")


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
        UnprocessableError: ``batch_invalid`` with ``details.field``, ``batch_too_large``,
            ``batch_id_invalid``, ``batch_id_repeated``, or as for metadata.
    """
    check_fields(values, _FIELDS, code="batch_invalid")
    operation, atomic = values.get("operation"), values.get("atomic", False)
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise _refuse("operation", f"must be one of {', '.join(OPERATIONS)}")
    if not isinstance(atomic, bool):
        raise _refuse("atomic", "must be true or false")
    changes = _parse_changes(values, operation)
    return BatchRequest(_parse_ids(values.get("ids")), operation, changes, atomic)


def _parse_changes(values: Mapping[str, Any], operation: str) -> dict[str, Any]:
    wanted = OPERATIONS[operation]
    for name in ("category", "tags"):
        if (name in values) != (name == wanted):
            raise _refuse(name, f"is {'required' if name == wanted else 'not allowed'} to {operation}")
    changes = validate_changes({name: values[name] for name in (wanted,) if name})
    if wanted == "tags" and not changes["tags"]:
        raise _refuse("tags", "must contain at least one tag")
    return changes


def _parse_ids(ids: Any) -> tuple[str, ...]:
    if not isinstance(ids, list) or not ids:
        raise _refuse("ids", f"must be a list of 1 to {MAX_IDS} ids")
    if len(ids) > MAX_IDS:
        raise UnprocessableError(
            f"A batch has at most {MAX_IDS} ids.", code="batch_too_large", details={"max": MAX_IDS}
        )
    for item in ids:
        if not isinstance(item, str) or not is_id(item):
            raise UnprocessableError(f"{str(item)[:64]!r} is not an id.", code="batch_id_invalid")
    parsed = tuple(item.lower() for item in ids)
    for place, item in enumerate(parsed):
        if item in parsed[:place]:
            raise UnprocessableError(
                f"The id {item} appears more than once.", code="batch_id_repeated", details={"id": item}
            )
    return parsed
