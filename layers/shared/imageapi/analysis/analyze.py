"""Analyze an image: acquire its lease, render a small copy, send it to Gemini, store the description.

Gemini receives only this copy: a JPEG at most 640 pixels wide, without EXIF, color profile or file name.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from imageapi.analysis import gemini
from imageapi.catalog import analyses, budgets, images
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.decoder import client as decoder
from imageapi.errors import (
    AppError,
    ConfigurationError,
    ConflictError,
    ImageNotFoundError,
    NotFoundError,
    TooManyRequestsError,
)
from imageapi.images.get import get_image
from imageapi.images.serialize import serialize_analysis
from imageapi.model.variant_names import Variant
from imageapi.search.tokens import index_values
from imageapi.storage import s3
from imageapi.telemetry.logs import get_logger
from imageapi.telemetry.metrics import add_metric

VARIANT = Variant(640, cover=False, extension="jpg")


class AnalysisInProgressError(ConflictError):
    """409: another request is analyzing the same image."""

    code = "analysis_in_progress"
    message = "Another request is analyzing this image. Try again."
    retry_after = 5


def get_analysis(image_id: str) -> dict[str, Any]:
    """The analysis of an image, in any status: Analysis in openapi.json.

    Raises:
        NotFoundError: ``image_not_found``, ``analysis_not_found``.
    """
    found = analyses.find(get_image(image_id)["id"])
    if not found:
        raise NotFoundError(
            "This image was never analyzed. Send a POST request to analyze it.", code="analysis_not_found"
        )
    return serialize_analysis(found)


def analyze_image(image_id: str, *, again: bool = False) -> dict[str, Any]:
    """Return the analysis of an image. If it does not exist, analyze the image.

    Args:
        again: analyze the image even if an analysis exists.

    Returns:
        As ``images.serialize.serialize_analysis``; its status is ``ready``.

    Raises:
        NotConfiguredError: analysis is disabled.
        NotFoundError: ``image_not_found``.
        ConflictError: ``analysis_in_progress``.
        TooManyRequestsError: the budget is spent until midnight (UTC).
        UnprocessableError: Gemini does not describe this image, or it cannot be rendered.
        GeminiUnavailableError, DatabaseUnavailableError, StorageUnavailableError: try again.
    """
    gemini.check_configured()
    image = get_image(image_id)
    existing = analyses.find(image["id"])
    if existing and existing["status"] == "ready" and not again:
        return serialize_analysis(existing)
    taken = analyses.acquire_lease(
        image["id"], ["queued", "failed", "ready"] if again else ["queued", "failed"]
    )
    if not taken:
        raise AnalysisInProgressError()
    return _work_on(image, taken)


def analyze_queued(image_ids: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Analyze queued images.

    Returns:
        The outcome of each (``ready``, ``not_due`` or an error's code), and the ids to retry. All other rows
        are ready, failed, or due later.
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
    """``ready``; or ``not_due`` if the row is done, deleted, or due later."""
    gemini.check_configured()
    taken = analyses.acquire_queued_lease(image_id)
    if not taken:
        analyses.fail_exhausted(image_id, gemini.GeminiUnavailableError.code)
        return "not_due"
    _work_on(get_image(image_id), taken)
    return "ready"


def _may_pass(error: AppError) -> bool:
    """Whether the error is transient: Gemini or a store is unavailable."""
    return error.status == 503 and error.retry_after is not None


def _work_on(image: db.Row, taken: db.Row) -> dict[str, Any]:
    """Analyze a leased image. On an error, release the lease and raise."""
    try:
        jpeg = _make_variant(image)
        budget = get_settings().analysis_daily_budget
        # Before the call: a crash must not hide a call from the budget.
        day = budgets.spend(analyses.BUDGET, budget, code="analysis_budget_spent")
        description = _describe(jpeg, day)
        saved = db.transaction(lambda cursor: _save(cursor, taken, description))
    except AppError as error:
        _release_lease(taken, error)
        raise
    add_metric("Analyses")
    return serialize_analysis(saved)


def _make_variant(image: db.Row) -> bytes:
    with s3.downloaded(image["s3_key"], max_bytes=image["size_bytes"]) as source:
        return decoder.render(source, VARIANT, get_settings().max_pixels)


def _describe(jpeg: bytes, day: date) -> gemini.Description:
    """Gemini's description. A metric counts failures that do not depend on the image. A call for which Google
    does not charge is given back to the budget of ``day``.
    """
    try:
        return gemini.describe_picture(jpeg)
    except (gemini.GeminiUnavailableError, ConfigurationError) as error:
        add_metric("GeminiFailures")
        if isinstance(error, gemini.NotChargedError | ConfigurationError):
            budgets.give_back(analyses.BUDGET, day)
        raise


def _save(cursor: db.Cursor, taken: db.Row, description: gemini.Description) -> db.Row:
    """Store the description and update the search columns, in one transaction."""
    image = images.lock(cursor, taken["image_id"])
    if not image:  # deleted since
        raise ImageNotFoundError()
    saved = analyses.save(cursor, taken, description)
    if not saved:  # another request took over the lease
        raise AnalysisInProgressError()
    text = analyses.find_text(cursor, image["id"])
    values = index_values({**image, "analysis_text": text})
    images.update(cursor, image["id"], values, new_version=False)
    return saved


def _release_lease(taken: db.Row, error: AppError) -> None:
    """Release a lease after an error. The status becomes ``ready`` if an older analysis exists, ``queued`` if
    the next attempt may succeed, else ``failed``.

    Without ANALYZE_UPLOADS nothing reads the queue, so the status never becomes ``queued``.
    """
    spent = isinstance(error, TooManyRequestsError)
    if taken["analyzed_at"]:
        status = "ready"
    elif get_settings().analyze_uploads and (
        spent or (_may_pass(error) and taken["attempts"] < analyses.MAX_ATTEMPTS)
    ):
        status = "queued"
    else:
        status = "failed"
    try:
        analyses.release_lease(
            taken, status, error.code, wait_seconds=error.retry_after or 0, counted=not spent
        )
    except AppError as failure:
        facts = {"image_id": taken["image_id"], "code": failure.code}
        get_logger().warning("analysis not given back", extra=facts, exc_info=failure)
