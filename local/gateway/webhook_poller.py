"""Pass due deliveries from ManageFunction, which leases them, to OutsideFunction, which sends them, and pass
the results back. On AWS, OutsideFunction fetches them itself.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.gateway.pool import Pool
from local.settings import Settings

LEASES, SENDS = "ManageFunction", "OutsideFunction"
# As IS_DUE in imageapi/catalog/webhooks.py.
DUE_SQL = """
    SELECT EXISTS (SELECT FROM webhooks
        WHERE greatest(lease_until, CASE WHEN wants_test THEN '-infinity' ELSE next_attempt_at END) <= now()
        AND coalesce((SELECT revoked_at IS NULL AND suspended_at IS NULL
            AND (expires_at IS NULL OR expires_at > now()) FROM api_keys
            WHERE id = nullif(webhooks.created_by, 'root')::uuid), webhooks.created_by = 'root')
        AND (wants_test OR (paused_at IS NULL AND (EXISTS (SELECT FROM changes_unnumbered)
            OR sequence < (SELECT max(sequence) FROM changes)))))"""


def is_wanted(settings: Settings) -> bool:
    """Whether webhooks are enabled."""
    return settings.value("WEBHOOKS", "true").lower() == "true"


def make_work(settings: Settings, pools: Mapping[str, Pool]) -> Callable[[Any], bool] | None:
    """The work that sends due deliveries; None if webhooks are disabled."""
    if not {LEASES, SENDS} <= pools.keys() or not is_wanted(settings):
        return None

    def invoke(function: str, event: dict[str, Any]) -> Any:
        return json.loads(pools[function].invoke(json.dumps(event)))

    def work(connection: Any) -> bool:
        if not is_due(connection):
            return False
        taken = invoke(LEASES, {"take": True})
        if not taken["deliveries"]:
            return False
        sent = invoke(SENDS, {"deliveries": taken["deliveries"]})
        invoke(LEASES, {"settle": sent["settle"]})
        return True

    return work


def is_due(connection: Any) -> bool:
    """Whether deliveries are due, or changes of other types, which a take skips."""
    cursor = connection.cursor()
    cursor.execute(DUE_SQL)
    return bool(cursor.fetchone()[0])
