"""Leases, waits and retries in the code, compared with the limits in template.yaml.

A lease that ends before its owner's Timeout lets a second owner in. Work that exceeds a Timeout ends without
a response.
"""

from imageapi.analysis import gemini
from imageapi.catalog import analyses, pending_removals, variants, webhooks
from imageapi.database import db, migrations
from imageapi.decoder.forks import LIMITS
from imageapi.delivery import ensure_variant
from imageapi.events import cloudformation
from imageapi.storage import clients
from imageapi.sweep import run
from imageapi.uploads import complete, create_image, direct, presigned
from imageapi.webhook_sender import drain, send

from tests import ROOT
from tests.support.events import load_routes
from tests.support.openapi import parameters
from tests.support.templates import MAIN, find, read_template

FUNCTIONS = find(MAIN, "AWS::Lambda::Function")
QUEUES = find(MAIN, "AWS::SQS::Queue")
GATEWAY_SECONDS = 29
"""API Gateway's time limit for a function."""
TIMEOUT = {name.removesuffix("Function"): float(found["Timeout"]) for name, found in FUNCTIONS.items()}


def statement_seconds(function: str) -> float:
    """How long one statement of a function can take until it is given up."""
    limit = FUNCTIONS[f"{function}Function"]["Environment"]["Variables"]["DB_STATEMENT_TIMEOUT"]
    return float(limit) + db.GRACE_SECONDS


def hidden_seconds(queue: str) -> int:
    return int(QUEUES[f"{queue}Queue"]["VisibilityTimeout"])


def test_work_is_over_before_somebody_else_may_begin() -> None:
    assert 2 * TIMEOUT["Upload"] <= direct.LEASE_SECONDS, "a direct upload"
    assert 2 * TIMEOUT["Upload"] <= complete.LEASE_SECONDS, "a completion"
    assert 2 * TIMEOUT["Image"] <= pending_removals.LEASE_SECONDS, "a deletion"
    assert TIMEOUT["Deliver"] < variants.LEASE_SECONDS, "a rendering"
    assert TIMEOUT["Analyze"] < analyses.LEASE_SECONDS, "an analysis"
    assert send.TAKE_SECONDS + TIMEOUT["Manage"] < webhooks.LEASE_SECONDS, "a round of deliveries"


def test_a_copy_is_stored_in_the_upload_s_time_and_before_another_may_store_it() -> None:
    # Taking the lease, one put attempt, and marking it ready.
    seconds = 2 * statement_seconds("Upload") + clients.CONNECT_SECONDS + clients.READ_SECONDS
    assert seconds < variants.LEASE_SECONDS
    assert direct.MAX_SECONDS_BEFORE_INTERMEDIATE + seconds < TIMEOUT["Upload"]


def test_a_function_that_waits_still_responds() -> None:
    variables = read_template(MAIN)["Globals"]["Function"]["Environment"]["Variables"]
    resume_seconds = float(variables["DB_CONNECT_TIMEOUT"]["Fn::If"][1])
    assert resume_seconds + statement_seconds("List") < TIMEOUT["List"], "for a paused database"
    longest_wait = parameters("get", "/api/changes")["wait"]["schema"]["maximum"]
    assert longest_wait + statement_seconds("Changes") < TIMEOUT["Changes"] - 1, "for a change"
    assert TIMEOUT["Deliver"] > ensure_variant.WAIT_SECONDS, "for a rendering"
    assert TIMEOUT["Upload"] > create_image.WAIT_SECONDS, "for a completion"
    assert TIMEOUT["Upload"] > LIMITS["inspect"].cpu_seconds, "for decoding"
    pauses = (gemini.ATTEMPTS - 1) * gemini.LONGEST_PAUSE
    assert gemini.ATTEMPTS * gemini.ATTEMPT_SECONDS + pauses < TIMEOUT["Analyze"], "for Gemini"
    assert send.DELIVERY_SECONDS < send.TAKE_SECONDS, "for a receiver"
    assert TIMEOUT["Outside"] > drain.ROUND_SECONDS, "for receivers"
    assert TIMEOUT["Sweep"] > run.SPARE_MILLISECONDS / 1000, "for a sweep"


def test_uploads_outlive_their_forms() -> None:
    assert presigned.FORM_SECONDS < presigned.OPEN_SECONDS
    assert run.OBJECT_GRACE.total_seconds() > presigned.FORM_SECONDS, "of an object without a row"


def test_a_message_stays_away_while_it_is_worked_on() -> None:
    mapping = find(MAIN, "AWS::Lambda::EventSourceMapping")["WebhookQueueMapping"]
    window = mapping["MaximumBatchingWindowInSeconds"]
    assert 6 * TIMEOUT["Analyze"] <= hidden_seconds("Analysis")
    assert 6 * TIMEOUT["Upload"] <= hidden_seconds("Upload")
    assert 6 * TIMEOUT["Outside"] <= hidden_seconds("Invalidation")
    assert 6 * TIMEOUT["Outside"] + window <= hidden_seconds("Webhook")
    assert QUEUES["AnalysisQueue"]["RedrivePolicy"]["maxReceiveCount"] == analyses.MAX_ATTEMPTS
    # A webhook is paused after a day of failures.
    assert QUEUES["WebhookQueue"]["MessageRetentionPeriod"] > 2 * 86_400
    assert QUEUES["WebhookQueue"]["RedrivePolicy"]["maxReceiveCount"] > 2 * 86_400 / hidden_seconds("Webhook")


def test_a_response_on_its_way_is_cached_before_its_image_is_invalidated() -> None:
    assert TIMEOUT["Deliver"] < QUEUES["InvalidationQueue"]["DelaySeconds"]


def test_a_migration_ends_in_its_time_and_does_not_stop_requests() -> None:
    seconds = TIMEOUT["Migrate"] - cloudformation.ANSWER_SECONDS
    lock_seconds = float(migrations.LOCK_TIMEOUT.removesuffix("ms")) / 1000
    pauses = (migrations.LOCK_ATTEMPTS - 1) * migrations.LOCK_PAUSE_SECONDS
    all_locks = migrations.LOCK_ATTEMPTS * lock_seconds + pauses
    assert statement_seconds("Migrate") < seconds
    assert cloudformation.RETRY_SECONDS < all_locks < seconds, "not begun again without a lock"
    assert lock_seconds < float(db.SESSION_SETTINGS["lock_timeout"].removesuffix("s")), "requests outlast it"
    assert migrations.LOCK_PAUSE_SECONDS < db.IDLE_SECONDS, "its session outlasts its pauses"
    assert cloudformation.TIMEOUT < cloudformation.ANSWER_SECONDS
    schema = read_template(MAIN)["Resources"]["Schema"]["Properties"]
    assert TIMEOUT["Migrate"] < schema["ServiceTimeout"], "CloudFormation waits longer"


def test_functions_of_the_api_answer_while_the_gateway_waits_and_cloudfront_waits_longer() -> None:
    timeouts = [TIMEOUT[name.removesuffix("Function")] for name in load_routes().values()]
    assert max(timeouts) <= GATEWAY_SECONDS
    (distribution,) = find(ROOT / "infra/edge.yaml", "AWS::CloudFront::Distribution").values()
    api = distribution["DistributionConfig"]["Origins"][1]["CustomOriginConfig"]
    assert api["OriginReadTimeout"] > GATEWAY_SECONDS
