"""Start the sending after a change. Functions in the network reach S3 only, whose notification starts it."""

from imageapi.config.settings import get_settings
from imageapi.errors import AppError
from imageapi.telemetry.logs import get_logger


def wake_webhooks() -> None:
    """Start OutsideFunction, since there may be changes. Does nothing if webhooks are disabled, or the runner
    polls.

    A failure is only logged: due webhooks are sent after the next change, or by the hourly schedule.
    """
    try:
        if not get_settings().wakes_webhooks:
            return
        from imageapi.storage import s3
        from imageapi.storage.object_keys import WAKE_KEY

        s3.put_marker(WAKE_KEY, attempts=1)
    except AppError:
        get_logger().warning("webhooks not woken", exc_info=True)
