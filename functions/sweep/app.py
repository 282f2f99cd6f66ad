"""On a schedule: finish or undo interrupted work. ``{"dry_run": true}`` only reports it. After a restore,
``{"verify": {}}`` compares rows with objects, and ``{"verify": {"restore": true}}`` also restores objects.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.events.messages import parse_sweep, parse_verify
from imageapi.events.run_event import run_event
from imageapi.sweep.run import SPARE_MILLISECONDS, sweep
from imageapi.sweep.verify import verify


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > SPARE_MILLISECONDS

    def work(event: dict[str, Any]) -> dict[str, Any]:
        return sweep(**parse_sweep(event), has_time=has_time).to_dict()

    def check(event: dict[str, Any]) -> dict[str, Any]:
        return verify(**parse_verify(event), has_time=has_time).to_dict()

    if "verify" in event:
        return run_event("verify", check, event, context, in_maintenance=True)
    only_reports = bool(event.get("dry_run"))
    return run_event(
        "sweep", work, event, context, counted=True, wakes=not only_reports, in_maintenance=only_reports
    )
