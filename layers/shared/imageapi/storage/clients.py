"""Connections to S3. The first client imports botocore."""

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from imageapi.config.settings import Settings, get_settings

if TYPE_CHECKING:
    from urllib3 import PoolManager, Retry

# The timeouts apply to each wait. The time limit of the request or event bounds the whole transfer.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2.0, 5.0, 2
BLOCK_BYTES = 262_144


@lru_cache(maxsize=1)
def get_client() -> Any:
    """This execution environment's S3 client."""
    return _make_client(get_settings(), CONNECT_SECONDS, READ_SECONDS, ATTEMPTS)


@lru_cache(maxsize=1)
def get_probe_client(timeout: float) -> Any:
    """A client without retries, with ``timeout`` seconds each to connect and to read."""
    return _make_client(get_settings(), timeout, timeout, attempts=1)


def _make_client(settings: Settings, connect_timeout: float, read_timeout: float, attempts: int) -> Any:
    import botocore.session
    from botocore.config import Config

    keys = settings.s3_credentials
    # boto3's session would load resources and their models, which are not used.
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_parse_time)
    return session.create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.s3_endpoint_url,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.session_token,
        config=Config(
            signature_version="s3v4",
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "virtual"},
            # Servers other than AWS do not support trailing checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _parse_time(value: Any) -> Any:
    """A time in a response. botocore's own parser takes 48 of the 61 ms of CPU time of a page of keys."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # a header's, in the format of RFC 9110
        from botocore.utils import parse_timestamp

        return parse_timestamp(value)


@lru_cache(maxsize=1)
def get_connections() -> "PoolManager":
    """The connection pool for requests without botocore's client."""
    from urllib3 import PoolManager, Timeout

    return PoolManager(
        timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        ca_certs=get_settings().s3_ca_bundle,  # None: the system's
        blocksize=BLOCK_BYTES,
    )


@lru_cache
def get_retries(attempts: int) -> "Retry":
    """Retries for a put, which is safe to repeat: it writes the same bytes under the same key."""
    from urllib3 import Retry

    return Retry(
        attempts - 1,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,
    )
