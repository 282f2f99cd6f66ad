"""Leases, waits and retries in the code, compared with the limits in template.yaml.

A lease that ends before its owner's Timeout lets a second owner in. Work that exceeds a Timeout ends without
a response.
"""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from imageapi.analysis import gemini
from imageapi.catalog import analyses, pending_removals, variants, webhooks
from imageapi.changes import feed
from imageapi.database import db, migrations
from imageapi.delivery.ensure_variant import WAIT_SECONDS as VARIANT_WAIT_SECONDS
from imageapi.events import cloudformation
from imageapi.pictures import decode_limits
from imageapi.storage import clients
from imageapi.sweep import run
from imageapi.uploads import complete, create_image, direct, presigned
from imageapi.webhook_sender import drain, send

from tests.support.templates import MAIN, ROOT, find, read_template

FUNCTIONS = find(MAIN, "AWS::Lambda::Function")
QUEUE = find(MAIN, "AWS::SQS::Queue")["AnalysisQueue"]
INVALIDATIONS = find(MAIN, "AWS::SQS::Queue")["InvalidationQueue"]
WEBHOOK_QUEUE = find(MAIN, "AWS::SQS::Queue")["WebhookQueue"]
WEBHOOK_MAPPING = find(MAIN, "AWS::Lambda::EventSourceMapping")["WebhookQueueMapping"]
EDGE = find(ROOT / "infra/edge.yaml", "AWS::CloudFront::Distribution")["Distribution"]["DistributionConfig"]
GATEWAY_SECONDS = 29
"""API Gateway's time limit for a function."""

TIMEOUT = {name: float(function["Timeout"]) for name, function in FUNCTIONS.items()}
MIGRATE_SECONDS = TIMEOUT["MigrateFunction"] - cloudformation.ANSWER_SECONDS
LOCK_SECONDS = float(migrations.LOCK_TIMEOUT.removesuffix("ms")) / 1000
ALL_LOCKS_SECONDS = migrations.LOCK_ATTEMPTS * LOCK_SECONDS + (
    (migrations.LOCK_ATTEMPTS - 1) * migrations.LOCK_PAUSE_SECONDS
)


def variable(name: str, function: str) -> float:
    """A limit in seconds from a function's environment."""
    return float(FUNCTIONS[function]["Environment"]["Variables"][name])


SECONDS_OF_COPY = (
    # Taking the lease, one put attempt, and marking it ready.
    2 * (variable("DB_STATEMENT_TIMEOUT", "UploadFunction") + db.GRACE_SECONDS)
    + clients.CONNECT_SECONDS
    + clients.READ_SECONDS
)


def seconds_of_gemini() -> float:
    return gemini.ATTEMPTS * gemini.ATTEMPT_SECONDS + (gemini.ATTEMPTS - 1) * gemini.LONGEST_PAUSE


LIMITS: dict[str, tuple[float, Callable[[Any, Any], bool], float]] = {
    "an upload is over when its key counts as free": (
        2 * TIMEOUT["UploadFunction"],
        operator.le,
        direct.LEASE_SECONDS,
    ),
    "a rendering is over before another may begin": (
        TIMEOUT["DeliverFunction"],
        operator.lt,
        variants.LEASE_SECONDS,
    ),
    "a copy is stored before another may store it": (
        SECONDS_OF_COPY,
        operator.lt,
        variants.LEASE_SECONDS,
    ),
    "a copy is stored before an upload's time": (
        direct.MAX_SECONDS_BEFORE_INTERMEDIATE + SECONDS_OF_COPY,
        operator.lt,
        TIMEOUT["UploadFunction"],
    ),
    "who waits for a change still answers": (
        feed.MAX_WAIT + variable("DB_STATEMENT_TIMEOUT", "ChangesFunction") + db.GRACE_SECONDS,
        operator.lt,
        TIMEOUT["ChangesFunction"] - 1,
    ),
    "who waits for a rendering still answers": (
        VARIANT_WAIT_SECONDS,
        operator.lt,
        TIMEOUT["DeliverFunction"],
    ),
    "a file is stored before another may store it": (
        2 * TIMEOUT["IngestFunction"],
        operator.le,
        complete.EVENT_LEASE_SECONDS,
    ),
    "a client's completion is over before another may begin": (
        2 * TIMEOUT["UploadFunction"],
        operator.le,
        complete.LEASE_SECONDS,
    ),
    "who waits for a completion still answers": (
        create_image.WAIT_SECONDS,
        operator.lt,
        TIMEOUT["UploadFunction"],
    ),
    "a deletion is over before the sweep takes it up": (
        2 * TIMEOUT["ImageFunction"],
        operator.le,
        pending_removals.LEASE_SECONDS,
    ),
    "an object without a row is older than any form": (
        presigned.FORM_SECONDS,
        operator.lt,
        run.OBJECT_GRACE.total_seconds(),
    ),
    "an announced upload outlives its form": (
        presigned.FORM_SECONDS,
        operator.lt,
        presigned.OPEN_SECONDS,
    ),
    "a sweep has time before its spare time": (
        run.SPARE_MILLISECONDS / 1000,
        operator.lt,
        TIMEOUT["SweepFunction"],
    ),
    "decoding ends before an upload's time": (
        decode_limits.MAX_SECONDS,
        operator.lt,
        TIMEOUT["UploadFunction"],
    ),
    "an analysis is over before another may begin": (
        TIMEOUT["AnalyzeFunction"],
        operator.lt,
        analyses.LEASE_SECONDS,
    ),
    "Gemini's attempts end before the function": (
        seconds_of_gemini(),
        operator.lt,
        TIMEOUT["AnalyzeFunction"],
    ),
    "the queue gives up as often as the code": (
        QUEUE["RedrivePolicy"]["maxReceiveCount"],
        operator.eq,
        analyses.MAX_ATTEMPTS,
    ),
    "a message stays away while it is worked on": (
        6 * TIMEOUT["AnalyzeFunction"],
        operator.le,
        QUEUE["VisibilityTimeout"],
    ),
    "a response on its way is cached before its image is invalidated": (
        TIMEOUT["DeliverFunction"],
        operator.lt,
        INVALIDATIONS["DelaySeconds"],
    ),
    "a notification stays away while it is worked on": (
        6 * TIMEOUT["InvalidateFunction"],
        operator.le,
        INVALIDATIONS["VisibilityTimeout"],
    ),
    "what wakes the webhooks stays away while they are sent": (
        6 * TIMEOUT["NotifyFunction"] + WEBHOOK_MAPPING["MaximumBatchingWindowInSeconds"],
        operator.le,
        WEBHOOK_QUEUE["VisibilityTimeout"],
    ),
    "a round of deliveries ends before its time": (
        drain.ROUND_SECONDS,
        operator.lt,
        TIMEOUT["NotifyFunction"],
    ),
    "a lease lasts longer than its deliveries": (
        send.TAKE_SECONDS + TIMEOUT["WebhooksFunction"],
        operator.lt,
        webhooks.LEASE_SECONDS,
    ),
    "a delivery ends before its round": (send.DELIVERY_SECONDS, operator.lt, send.TAKE_SECONDS),
    "CloudFront waits longer than the gateway": (
        GATEWAY_SECONDS,
        operator.lt,
        EDGE["Origins"][1]["CustomOriginConfig"]["OriginReadTimeout"],
    ),
    "a migration's statement ends before its time": (
        variable("DB_STATEMENT_TIMEOUT", "MigrateFunction") + db.GRACE_SECONDS,
        operator.lt,
        MIGRATE_SECONDS,
    ),
    "a migration has told of its locks before its time": (
        ALL_LOCKS_SECONDS,
        operator.lt,
        MIGRATE_SECONDS,
    ),
    "a migration that got no lock is not begun again": (
        cloudformation.RETRY_SECONDS,
        operator.lt,
        ALL_LOCKS_SECONDS,
    ),
    "requests outlast a migration that waits for a lock": (
        LOCK_SECONDS,
        operator.lt,
        float(db.SESSION_SETTINGS["lock_timeout"].removesuffix("s")),
    ),
    "a migration's session outlasts its pauses": (
        migrations.LOCK_PAUSE_SECONDS,
        operator.lt,
        db.IDLE_SECONDS,
    ),
    "an answer to CloudFormation fits into what is kept for it": (
        cloudformation.TIMEOUT,
        operator.lt,
        cloudformation.ANSWER_SECONDS,
    ),
    "CloudFormation waits longer than the function runs": (
        TIMEOUT["MigrateFunction"],
        operator.lt,
        read_template(MAIN)["Resources"]["Schema"]["Properties"]["ServiceTimeout"],
    ),
}
"""What must hold: ``left (operator) right``, in seconds except for the one that counts attempts."""


@pytest.mark.parametrize(("left", "holds", "right"), LIMITS.values(), ids=LIMITS)
def test_limits_go_together(left: float, holds: Callable[[Any, Any], bool], right: float) -> None:
    assert holds(left, right), f"{left:g} against {right:g}"


def test_functions_of_the_api_answer_while_the_gateway_waits() -> None:
    behind = {
        name
        for name, resource in read_template(MAIN)["Resources"].items()
        if any(event["Type"] == "Api" for event in resource.get("Properties", {}).get("Events", {}).values())
    }
    assert len(behind) > 5
    assert {name for name in behind if TIMEOUT[name] > GATEWAY_SECONDS} == set()
