"""Versions of what clients edit."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageapi.errors import VersionMismatchError


def check_version(row: Mapping[str, Any], versions: Sequence[int] | None) -> None:
    """Check a row's ``version``.

    Args:
        versions: those that the client accepts; None: any.

    Raises:
        VersionMismatchError: it is another one.
    """
    if versions is not None and row["version"] not in versions:
        raise VersionMismatchError(row["version"])
