"""On a schedule: settle what crashes left behind. ``{"dry_run": true}`` only tells what there is."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.logs import log_outcome
from imageapi.sweeping import sweep_event


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    work = partial(sweep_event, time_left=context.get_remaining_time_in_millis)
    return log_outcome("sweep", work, event, context, counted=True)
