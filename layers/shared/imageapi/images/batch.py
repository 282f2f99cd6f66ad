"""Change, trash, restore or delete many images: each separately, or all or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imageapi.catalog import batches, bulk_updates, pending_removals, trash
from imageapi.catalog.batches import Results
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.deadline import time_left
from imageapi.delivery.removals import finish_removals, resume_removals
from imageapi.errors import (
    AppError,
    ConflictError,
    DatabaseUnavailableError,
    IdempotencyKeyReusedError,
    ImageNotFoundError,
    UnprocessableError,
)
from imageapi.images.batch_request import BatchRequest
from imageapi.images.restore import explain_refusal
from imageapi.model.metadata import clean_changes
from imageapi.model.text import normalise_tag
from imageapi.search.tokens import index_values
from imageapi.telemetry.logs import get_logger

SPARE_SECONDS = 6.0
"""With less time left, no further image is started: removing the objects of the others takes time."""

OK: dict[str, Any] = {"status": 200}
GONE: dict[str, Any] = {"status": 204}


class BatchTimeOverError(AppError):
    """503: time ran out before this image was changed."""

    status = 503
    code = "batch_interrupted"


@dataclass
class Outcome:
    """The results so far, and the removals whose objects still exist."""

    results: Results = field(default_factory=dict)
    removed: list[db.Row] = field(default_factory=list)


def run_batch(request: BatchRequest, key: str | None, request_hash: bytes) -> dict[str, Any]:
    """Run a batch.

    After a crash, each image is either changed or not, and with a ``key`` its result is stored. The sweep
    finishes pending removals.

    Args:
        key: the stored form of an Idempotency-Key.
        request_hash: 32 bytes that are equal for equal requests.

    Returns:
        ``{"results": [{"id", "status", "error"?: {"code", "message", "details"?}}], "succeeded": int,
        "failed": int}`` in the order of ids.

    Raises:
        IdempotencyKeyReusedError: the key was used for another request.
        ConflictError: ``batch_failed``: the images in ``details.results`` prevented all changes.
        DatabaseUnavailableError, StorageUnavailableError: the client should send the batch again.
    """
    results = _find_earlier(key, request_hash)
    todo = [image_id for image_id in request.ids if image_id not in results]
    if todo and request.operation == "restore":
        resume_removals(todo)
    if todo:
        outcome = _change_together(request, key, todo) if request.atomic else _change_each(request, key, todo)
        results |= outcome.results
        _remove_objects(outcome.removed)
    listed = [{"id": image_id, **results[image_id]} for image_id in request.ids]
    failed = sum(map(_is_failure, listed))
    return {"results": listed, "succeeded": len(listed) - failed, "failed": failed}


def _find_earlier(key: str | None, request_hash: bytes) -> Results:
    if key is None:
        return {}
    batch = batches.begin(key, request_hash)
    if bytes(batch["request_hash"]) != request_hash:
        raise IdempotencyKeyReusedError()
    return dict(batch["results"])


def _change_each(request: BatchRequest, key: str | None, ids: Sequence[str]) -> Outcome:
    """One transaction for each image. If the database fails, all remaining images fail."""
    done = Outcome()
    read = bulk_updates.find_images(ids) if request.changes else {}
    failure: AppError | None = None
    for image_id in ids:
        if time_left() < SPARE_SECONDS:
            failure = failure or BatchTimeOverError("Time ran out before this image. Send the batch again.")
        if failure:
            done.results[image_id] = _describe(failure)
            continue
        try:
            if not _change_unlocked(request, key, read.get(image_id)):
                outcome = _change_together(request, key, [image_id])
                done.removed += outcome.removed
                done.results |= outcome.results
            else:
                done.results[image_id] = OK
        except DatabaseUnavailableError as error:
            failure = error
            done.results[image_id] = _describe(error)
    return done


def _change_unlocked(request: BatchRequest, key: str | None, image: db.Row | None) -> bool:
    """Change an image in one round trip if it is still as it was read. Return whether it was changed."""
    planned = _plan(request, image) if image else None
    return bool(planned and "status" not in planned and bulk_updates.update_images([planned], key, OK))


def _change_together(request: BatchRequest, key: str | None, ids: Sequence[str]) -> Outcome:
    """One transaction for all these images."""
    work = _WORK.get(request.operation, _change)

    def transact(cursor: db.Cursor) -> Outcome:
        known = batches.lock(cursor, key) if key else {}
        left = [image_id for image_id in ids if image_id not in known]
        done = work(cursor, request, left) if left else Outcome()
        failed = [{"id": name, **done.results[name]} for name in left if _is_failure(done.results[name])]
        if failed and request.atomic:
            message = "Nothing was changed, because some images cannot be. details.results has their errors."
            raise ConflictError(message, code="batch_failed", details={"results": failed})
        if key:
            batches.note(
                cursor, key, {name: found for name, found in done.results.items() if _is_final(found)}
            )
        done.results |= {name: known[name] for name in ids if name in known}
        return done

    return db.transaction(transact)


def _change(cursor: db.Cursor, request: BatchRequest, ids: Sequence[str]) -> Outcome:
    found = bulk_updates.find_images(ids, cursor)
    planned = {image_id: _plan(request, image) for image_id, image in found.items()}
    if changes := [plan for plan in planned.values() if "status" not in plan]:
        bulk_updates.update_images(changes, cursor=cursor)
    results = {name: plan if "status" in plan else OK for name, plan in planned.items()}
    return Outcome(results | _explain_missing(cursor, ids, results))


def _plan(request: BatchRequest, image: db.Row) -> dict[str, Any]:
    """The new columns of an image, with its ``id`` and ``row_version``; a result if it stays unchanged."""
    changes = dict(request.changes)
    if request.operation != "set_category":
        named = {normalise_tag(tag): tag for tag in changes["tags"]}
        present = {normalise_tag(tag) for tag in image["tags"]}
        if request.operation == "add_tags":
            changes["tags"] = image["tags"] + [tag for name, tag in named.items() if name not in present]
        else:
            changes["tags"] = [tag for tag in image["tags"] if normalise_tag(tag) not in named]
    try:
        changes = clean_changes(changes)
    except UnprocessableError as error:  # too many tags
        return _describe(error)
    if all(image[name] == value for name, value in changes.items()):
        return OK
    place = {name: image[name] for name in ("id", "row_version")}
    return place | changes | index_values({**image, **changes})


def _trash(cursor: db.Cursor, request: BatchRequest, ids: Sequence[str]) -> Outcome:
    if request.deletes_for_good:
        return _delete(cursor, request, ids)
    return _describe_removal(cursor, ids, trash.move(ids, get_settings().trash_days, cursor=cursor))


def _delete(cursor: db.Cursor, _: BatchRequest, ids: Sequence[str]) -> Outcome:
    return _describe_removal(cursor, ids, pending_removals.begin(ids, cursor=cursor))


def _describe_removal(cursor: db.Cursor, ids: Sequence[str], removed: list[db.Row]) -> Outcome:
    results = dict.fromkeys((row["image_id"] for row in removed), GONE)
    return Outcome(results | _explain_missing(cursor, ids, results), removed)


def _restore(cursor: db.Cursor, _: BatchRequest, ids: Sequence[str]) -> Outcome:
    results = dict.fromkeys((row["id"] for row in trash.restore(ids, cursor)), OK)
    missing = [image_id for image_id in ids if image_id not in results]
    places = trash.find_places(missing, cursor) if missing else {}
    return Outcome(results | {name: _describe(explain_refusal(places.get(name))) for name in missing})


_WORK: dict[str, Callable[[db.Cursor, BatchRequest, Sequence[str]], Outcome]] = {
    "trash": _trash,
    "delete": _delete,
    "restore": _restore,
}


def _explain_missing(cursor: db.Cursor, ids: Sequence[str], results: Results) -> Results:
    missing = [image_id for image_id in ids if image_id not in results]
    places = trash.find_places(missing, cursor) if missing else {}
    return {name: _describe(ImageNotFoundError(trashed=name in places)) for name in missing}


def _remove_objects(removed: Sequence[db.Row]) -> None:
    """Remove the objects. The images are deleted in any case, and the sweep repeats failed removals."""
    try:
        finish_removals(removed)
    except AppError as error:
        get_logger().warning("objects of a batch are left", extra={"images": len(removed)}, exc_info=error)


def _describe(error: AppError) -> dict[str, Any]:
    """The result of an image with an error."""
    shown = {"code": error.code, "message": error.message}
    return {"status": error.status, "error": shown | ({"details": error.details} if error.details else {})}


def _is_failure(result: Mapping[str, Any]) -> bool:
    return "error" in result


def _is_final(result: Mapping[str, Any]) -> bool:
    """Whether a repeated request gets the same result."""
    return not _is_failure(result) or result["error"]["code"] != "image_trash_pending"
