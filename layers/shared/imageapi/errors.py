"""The errors that the API returns. Each has one HTTP status and one stable code.

A room defines its own specific errors. Only ``imageapi.http`` turns errors into responses. Messages are for
people and may change; codes may not.
"""

from collections.abc import Mapping
from typing import Any


class AppError(Exception):
    """Base class of errors that the client sees.

    Attributes:
        status: the HTTP status.
        code: a stable, machine-readable name, in snake_case.
        message: one sentence for people, never with a secret.
        details: further JSON values, for example the exceeded limit.
        retry_after: seconds to wait before a retry; None if a retry cannot help.

    The class has the defaults of ``code``, ``message`` and ``retry_after``.
    """

    status = 500
    code = "internal_error"
    message = "Something went wrong on the server."
    retry_after: int | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.message
        super().__init__(self.message)
        self.code = code or self.code
        self.details = dict(details) if details else None
        self.retry_after = retry_after or self.retry_after


class InvalidRequestError(AppError):
    """400: the request is malformed."""

    status = 400


class InvalidBodyError(InvalidRequestError):
    """400: the body cannot be parsed. ``details.reason`` is encoding, json, multipart or type."""

    code = "body_invalid"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, details={"reason": reason})


class UnauthorizedError(AppError):
    """401: the API key is missing or wrong."""

    status = 401
    code = "api_key_invalid"


class ForbiddenError(AppError):
    """403: the key or the link does not permit this."""

    status = 403
    code = "link_invalid"


class NotFoundError(AppError):
    """404: the resource does not exist."""

    status = 404
    code = "not_found"


class ImageNotFoundError(NotFoundError):
    """404: no image has this id."""

    code = "image_not_found"
    message = "No image has this id."

    def __init__(self, *, trashed: bool = False) -> None:
        super().__init__(
            "The image is in the trash. Restore it, or delete it permanently." if trashed else None,
            details={"trashed": True} if trashed else None,
        )


class ObjectMissingError(NotFoundError):
    """404: an object that should exist is not in the object store."""

    code = "object_missing"


class MethodNotAllowedError(AppError):
    """405: the path does not support the method."""

    status = 405
    code = "method_not_allowed"


class ConflictError(AppError):
    """409: the request conflicts with the current state."""

    status = 409


class UploadInterruptedError(ConflictError):
    """409: the sweep or another request undid the upload while it ran, or the image was deleted."""

    code = "upload_interrupted"
    message = "The upload took too long and was undone. Send it again."
    retry_after = 1


class GoneError(AppError):
    """410: the feed no longer contains the cursor's change. The client must read everything again."""

    status = 410
    code = "changes_expired"


class VersionMismatchError(AppError):
    """412: If-Match does not name the current version, which is in ``details.version``."""

    status = 412
    code = "version_mismatch"
    message = "The resource has changed. Read it again, then retry."

    def __init__(self, version: int) -> None:
        super().__init__(details={"version": version})


class PayloadTooLargeError(AppError):
    """413: the body or the file is larger than this route accepts."""

    status = 413
    code = "payload_too_large"


class UnsupportedMediaTypeError(AppError):
    """415: the body is not multipart, or the file is not an image of a supported type."""

    status = 415
    code = "unsupported_media_type"


class UnprocessableError(AppError):
    """422: the content is not acceptable, for example a broken image or invalid metadata."""

    status = 422


class IdempotencyKeyReusedError(UnprocessableError):
    """422: the Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request. Send a new key."


class TooComplexError(UnprocessableError):
    """422: decoding the image exceeds a limit.

    Attributes:
        is_final: whether the same file always fails. False when CPU time or memory ran out: other load on
            the machine may be the cause.
    """

    code = "image_too_complex"
    message = "Decoding the image takes more time or memory than allowed. Send a simpler file."

    def __init__(self, *, is_final: bool = False) -> None:
        super().__init__()
        self.is_final = is_final


class InvalidCursorError(InvalidRequestError):
    """400: the text is not a cursor of this API."""

    code = "cursor_invalid"
    message = "The cursor is not valid. Start over without a cursor."


class TooManyRequestsError(AppError):
    """429: a daily limit is spent, or too many requests wait."""

    status = 429


class NotConfiguredError(AppError):
    """501: an optional part of the service is disabled."""

    status = 501
    code = "analysis_not_configured"


class ConfigurationError(AppError):
    """503: a setting is missing or unusable. The message names the variable, never its value."""

    status = 503
    code = "service_misconfigured"


class MaintenanceError(AppError):
    """503: MAINTENANCE is set."""

    status = 503
    code = "maintenance"
    message = "The service is down for maintenance. Try again later."
    retry_after = 300


class DatabaseUnavailableError(AppError):
    """503: PostgreSQL does not respond in time."""

    status = 503
    code = "database_unavailable"
    message = "The database is not responding. Try again."
    retry_after = 2


class StorageUnavailableError(AppError):
    """503: the object store does not respond, or rejects the request."""

    status = 503
    code = "storage_unavailable"
    message = "The object store is not responding. Try again."
    retry_after = 2


class VariantPendingError(AppError):
    """503: another request is still rendering this variant."""

    status = 503
    code = "variant_pending"
    message = "The variant is still being rendered. Try again."
    retry_after = 2


def stored_error(code: str, message: str, details: Mapping[str, Any] | None = None) -> AppError:
    """Rebuild an error from its code: that of an earlier upload, or of the decoder's process."""
    kinds: dict[str, type[AppError]] = {
        UnsupportedMediaTypeError.code: UnsupportedMediaTypeError,
        "unsupported_image_type": UnsupportedMediaTypeError,
        PayloadTooLargeError.code: PayloadTooLargeError,
        UploadInterruptedError.code: ConflictError,
    }
    return kinds.get(code, UnprocessableError)(message, code=code, details=details)
