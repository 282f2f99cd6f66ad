"""The analysis of one image: claim its row, make a small copy, send it to Gemini, store the description.

Only that copy is sent: a JPEG of at most 640 pixels in width, without EXIF, colour profile or file name.
"""

from collections.abc import Iterable
from typing import Any

import psycopg2.extras

from imageapi import analyses, db, gemini, storage
from imageapi.config import get_settings
from imageapi.errors import AppError, ConflictError, ImageNotFoundError
from imageapi.images import get_image, refresh_search
from imageapi.logs import get_logger
from imageapi.metrics import add_metric
from imageapi.variants import Variant

RENDITION = Variant(640, cover=False, extension="jpg")
CLAIM_SECONDS = 60
"""How long a claim lasts; then another request may try. Longer than the function's Timeout."""

MAX_ATTEMPTS = 5
"""After so many attempts a queued analysis has failed. The same as the SQS queue's maxReceiveCount."""

# Claims the row if its status is one of those given, or if an earlier claim has expired.
_CLAIM = """
    INSERT INTO image_analysis AS analysis (image_id, status, attempts, due_at)
    SELECT id, 'running', 1, now() + make_interval(secs => %(seconds)s)
    FROM image_metadata WHERE id = %(id)s AND status = 'ready'
    ON CONFLICT (image_id) DO UPDATE
    SET status = 'running', attempts = analysis.attempts + 1, due_at = excluded.due_at
    WHERE analysis.status = ANY(%(from)s) OR (analysis.status = 'running' AND analysis.due_at < now())
    RETURNING analysis.*"""

_CLAIM_QUEUED = """
    UPDATE image_analysis
    SET status = 'running', attempts = attempts + 1, due_at = now() + make_interval(secs => %(seconds)s)
    WHERE image_id = %(id)s AND status IN ('queued', 'running') AND due_at <= now() AND attempts < %(most)s
    RETURNING *"""

# When the last attempt was killed or timed out, nothing has set the status: this does.
_GIVE_UP = """
    UPDATE image_analysis
    SET status = CASE WHEN analyzed_at IS NULL THEN 'failed' ELSE 'ready' END,
        failure = 'analysis_unavailable'
    WHERE image_id = %(id)s AND status IN ('queued', 'running') AND due_at <= now()
      AND attempts >= %(most)s"""

# Counts one call, unless the budget is spent. The row of the day is locked, so no call is missed.
_SPEND = """
    INSERT INTO analysis_budget AS budget (day, calls) VALUES ((now() AT TIME ZONE 'UTC')::date, 1)
    ON CONFLICT (day) DO UPDATE SET calls = budget.calls + 1 WHERE budget.calls < %s
    RETURNING calls"""

_SECONDS_LEFT = """
    SELECT ceil(extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'
                                   - (now() AT TIME ZONE 'UTC')))::int AS seconds"""


class BudgetSpentError(AppError):
    """429: ANALYSIS_DAILY_BUDGET is spent until midnight (UTC)."""

    status = 429
    code = "analysis_budget_spent"


def analyze_image(image_id: str, *, again: bool = False) -> dict[str, Any]:
    """The analysis of an image, made now unless it is there already.

    Args:
        again: make a new one even if there is one.

    Returns:
        As ``analyses.present``; its status is ``ready``.

    Raises:
        NotConfiguredError: 501.
        NotFoundError: ``image_not_found``.
        ConflictError: ``analysis_in_progress``.
        BudgetSpentError: 429, until midnight.
        UnprocessableError: Gemini does not describe this picture, or it cannot be rendered.
        GeminiUnavailableError, DatabaseUnavailableError, StorageUnavailableError: try again.
    """
    gemini.check_configured()
    image = get_image(image_id)
    existing = db.query("SELECT * FROM image_analysis WHERE image_id = %s", (image["id"],))
    if existing and existing[0]["status"] == "ready" and not again:
        return analyses.present(existing[0])
    states = ["queued", "failed", "ready"] if again else ["queued", "failed"]
    claimed = db.query(_CLAIM, {"id": image["id"], "seconds": CLAIM_SECONDS, "from": states})
    if not claimed:
        raise ConflictError(
            "This image is being analysed. Try again.", code="analysis_in_progress", retry_after=5
        )
    return _work_on(image, claimed[0])


def analyze_queued(image_ids: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Analyse images that wait in the queue.

    Returns:
        What became of each (``ready``, ``not_due`` or an error's code), and the ids that are to be tried
        again. The rows of all others are ready, failed, or due later.
    """
    outcomes, unfinished = {}, set()
    for image_id in image_ids:
        try:
            outcomes[image_id] = _work_on_queued(image_id)
        except AppError as error:
            outcomes[image_id] = error.code
            if error.status >= 500:
                get_logger().warning("analysis failed", extra={"image_id": image_id}, exc_info=error)
            if _may_pass(error):
                unfinished.add(image_id)
    return outcomes, unfinished


def _work_on_queued(image_id: str) -> str:
    """``ready``; or ``not_due`` when the row is done, deleted, or due later."""
    gemini.check_configured()
    values = {"id": image_id, "seconds": CLAIM_SECONDS, "most": MAX_ATTEMPTS}
    claimed = db.query(_CLAIM_QUEUED, values)
    if not claimed:
        db.query(_GIVE_UP, values)
        return "not_due"
    _work_on(get_image(image_id), claimed[0])
    return "ready"


def _may_pass(error: AppError) -> bool:
    """Whether the next attempt may succeed: Gemini or a store did not answer, or not usably."""
    return error.status == 503 and error.retry_after is not None


def _work_on(image: db.Row, claimed: db.Row) -> dict[str, Any]:
    """Analyse an image whose row is claimed. When that fails, release the claim and raise."""
    try:
        jpeg = _make_rendition(image)
        _spend_budget()
        return analyses.present(_save(image["id"], gemini.describe_picture(jpeg)))
    except AppError as error:
        _give_back(claimed, error)
        raise


def _make_rendition(image: db.Row) -> bytes:
    from imageapi import rendering  # only who renders pays for Pillow

    with storage.downloaded(image["s3_key"], max_bytes=image["size_bytes"]) as source:
        return rendering.render(source, RENDITION, get_settings().max_pixels)


def _spend_budget() -> None:
    """Count one call for today. An analysis counts once, however often Gemini had to be asked."""
    budget = get_settings().analysis_daily_budget
    if not db.query(_SPEND, (budget,)):
        raise BudgetSpentError(
            f"All {budget} analyses of today are spent.",
            details={"daily_budget": budget},
            retry_after=db.query(_SECONDS_LEFT)[0]["seconds"],
        )


def _save(image_id: str, description: gemini.Description) -> db.Row:
    saved = db.query(
        """UPDATE image_analysis
           SET status = 'ready', failure = NULL, model = %s, caption = %s, tags = %s, text_seen = %s,
               safety = %s, analyzed_at = now(), attempts = 0
           WHERE image_id = %s RETURNING *""",
        (
            description.model,
            description.caption,
            list(description.tags),
            description.text_seen,
            psycopg2.extras.Json(description.safety),
            image_id,
        ),
    )
    if not saved:  # deleted meanwhile
        raise ImageNotFoundError()
    refresh_search(image_id)
    add_metric("Analyses")
    return saved[0]


def _give_back(claimed: db.Row, error: AppError) -> None:
    """Release a claim after an error: ``ready`` when there is an older analysis, ``queued`` when the next
    attempt may succeed, else ``failed``.

    Queued only where ANALYZE_UPLOADS is set, since nothing reads the queue elsewhere.
    """
    spent = isinstance(error, BudgetSpentError)
    if claimed["analyzed_at"]:
        status = "ready"
    elif get_settings().analyze_uploads and (
        spent or (_may_pass(error) and claimed["attempts"] < MAX_ATTEMPTS)
    ):
        status = "queued"
    else:
        status = "failed"
    try:
        db.query(
            """UPDATE image_analysis
               SET status = %s, failure = %s, attempts = attempts - %s,
                   due_at = now() + make_interval(secs => %s)
               WHERE image_id = %s AND status = 'running'""",
            (status, error.code, int(spent), error.retry_after or 0, claimed["image_id"]),
        )
    except AppError as failure:
        facts = {"image_id": claimed["image_id"], "code": failure.code}
        get_logger().warning("analysis not given back", extra=facts, exc_info=failure)
