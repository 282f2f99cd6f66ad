"""Clients of AWS services other than S3. The first client imports botocore."""

from functools import lru_cache
from typing import Any

from imageapi.config.settings import get_settings


@lru_cache
def get_aws_client(service: str, *, read_timeout: float = 5.0, attempts: int = 1) -> Any:
    """This execution environment's client of a service, for example ``sqs``."""
    import botocore.session
    from botocore.config import Config

    return botocore.session.get_session().create_client(
        service,
        region_name=get_settings().region,
        config=Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
