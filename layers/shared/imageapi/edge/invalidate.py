"""Has CloudFront forget images that were deleted, or whose permanent links were revoked."""

import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.errors import ConfigurationError

MAX_IMAGES = 5
"""For more images at once, all are forgotten: CloudFront runs 15 paths with a wildcard at a time, and charges
for each path beyond 1,000 a month.
"""


def invalidate_images(image_ids: Sequence[str]) -> int:
    """Start an invalidation of everything that is cached of these images.

    Returns:
        The number of invalidated paths.

    Raises:
        botocore.exceptions.ClientError: among others ``TooManyInvalidationsInProgress``; try again later.
    """
    if not image_ids:
        return 0
    distribution_id = get_settings().distribution_id
    if not distribution_id:
        raise ConfigurationError("DISTRIBUTION_ID is not set.")
    paths = invalidation_paths(image_ids)
    batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": str(uuid.uuid4())}
    _client().create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)
    return len(paths)


def invalidation_paths(image_ids: Sequence[str]) -> list[str]:
    """The paths of links, and what CloudFront's function makes of them."""
    names = [f"{image_id}/*" for image_id in image_ids] if len(image_ids) <= MAX_IMAGES else ["*"]
    return [f"/{folder}/{name}" for name in names for folder in ("images", "variants")]


@lru_cache(maxsize=1)
def _client() -> Any:
    import botocore.session
    from botocore.config import Config

    return botocore.session.get_session().create_client(
        "cloudfront",
        region_name=get_settings().region,
        config=Config(
            connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
        ),
    )
