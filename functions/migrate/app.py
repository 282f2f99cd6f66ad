"""Create or migrate the database schema: as a custom resource during a deploy, or invoked manually."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.catalog import api_keys
from imageapi.database.migrations import migrate, read_migrations
from imageapi.events.cloudformation import answer_cloudformation
from imageapi.events.run_event import run_event

FOLDER = Path(__file__).parent


def bring_up_to_date(_: dict[str, Any]) -> dict[str, Any]:
    """``{"is_new": bool, "applied": [str], "version": int, "suspended_keys": int}``; see
    imageapi.database.migrations and imageapi.catalog.api_keys.
    """
    schema = (FOLDER / "init_db.sql").read_text(encoding="utf-8")
    outcome = migrate(schema, read_migrations(FOLDER / "migrations"))
    return {**outcome, "suspended_keys": api_keys.suspend_restored()}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "ResponseURL" in event:
        return answer_cloudformation("migrate", bring_up_to_date, event, context)
    return run_event("migrate", bring_up_to_date, event, context, in_maintenance=True)
