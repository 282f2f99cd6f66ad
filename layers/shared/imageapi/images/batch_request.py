"""Check the request of a batch. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.model.metadata import clean_changes
from imageapi.model.schemas import InvalidFieldError

OPERATIONS = {
    "set_category": "category",
    "add_tags": "tags",
    "remove_tags": "tags",
    "trash": None,
    "restore": None,
    "delete": None,
}
"""The operations, each with the field that it requires."""


@dataclass(frozen=True)
class BatchRequest:
    """A checked request.

    Attributes:
        ids: in lower case, without duplicates.
        changes: clean ``category`` or ``tags``; empty if the operation requires neither.
        atomic: one transaction for all ids instead of one for each.
    """

    ids: tuple[str, ...]
    operation: str
    changes: dict[str, Any] = field(default_factory=dict)
    atomic: bool = False

    @property
    def deletes_for_good(self) -> bool:
        """Whether images are deleted permanently."""
        return self.operation == "delete" or (self.operation == "trash" and not get_settings().trash_days)


def parse_batch(values: Mapping[str, Any]) -> BatchRequest:
    """Parse a request that openapi.json's schema has accepted.

    Raises:
        InvalidFieldError: ``category`` or ``tags`` is missing, not allowed or invalid.
    """
    operation, ids = values["operation"], tuple(each.lower() for each in values["ids"])
    return BatchRequest(ids, operation, _parse_changes(values, operation), values["atomic"])


def _parse_changes(values: Mapping[str, Any], operation: str) -> dict[str, Any]:
    wanted = OPERATIONS[operation]
    for name in ("category", "tags"):
        if name == wanted and name not in values:
            raise InvalidFieldError(name, "required", f"is required with {operation}")
        if name != wanted and name in values:
            raise InvalidFieldError(name, "unknown", f"is not allowed with {operation}")
    changes = clean_changes({name: values[name] for name in (wanted,) if name})
    if wanted == "tags" and not changes["tags"]:
        raise InvalidFieldError("tags", "value", "must contain at least one tag")
    return changes
