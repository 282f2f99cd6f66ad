"""Start the sending after a change. Functions in the private network reach only S3, which starts it."""

from imageapi.config.settings import get_settings
from imageapi.errors import AppError
from imageapi.telemetry.logs import get_logger


def wake_webhooks() -> None:
    """Start OutsideFunction, unless webhooks are disabled or the runner polls.

    A failure is only logged: the next change or the hourly schedule also starts the sending.
    """
    try:
        if not get_settings().wakes_webhooks:
            return
        from imageapi.storage import s3
        from imageapi.storage.object_keys import WAKE_KEY

        s3.put_marker(WAKE_KEY, attempts=1)
    except AppError:
        get_logger().warning("webhooks not woken", exc_info=True)
