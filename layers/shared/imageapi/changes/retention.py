"""Remove changes and revoked keys that are older than CHANGES_DAYS."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imageapi.catalog import api_keys, changes
from imageapi.config.settings import get_settings


def forget_old(_: Mapping[str, Any]) -> dict[str, Any]:
    """Remove old revoked API keys, and old changes by whole partitions.

    Returns:
        ``{"partitions_dropped": int}``.
    """
    days = get_settings().changes_days
    api_keys.remove_revoked(days)  # the feed may name newer ones
    older_than, dropped = datetime.now(UTC) - timedelta(days=days), 0
    while changes.drop_oldest(older_than):
        dropped += 1
    return {"partitions_dropped": dropped}
