"""Invalidate images in CloudFront's cache after a deletion or the revocation of permanent links."""

from collections.abc import Mapping
from contextlib import suppress

from imageapi.config.aws_clients import get_aws_client
from imageapi.config.settings import get_settings
from imageapi.errors import ConfigurationError

FOLDERS = ("images", "variants")
"""Folders of the invalidated paths. Only variants are cached. If a function at the edge changes the path that
viewers request, AWS recommends invalidating both.
"""


def invalidate_images(references: Mapping[str, str]) -> set[str]:
    """Invalidate all cached variants of these images until CloudFront's limit: it processes 15 paths with a
    wildcard at once.

    Args:
        references: for each image id, the text by which CloudFront recognizes a repeated request.

    Returns:
        The ids that CloudFront has accepted. Request the others again later.

    Raises:
        botocore.exceptions.ClientError: CloudFront refuses for another reason.
    """
    distribution_id = get_settings().distribution_id
    if not distribution_id:
        raise ConfigurationError("DISTRIBUTION_ID is not set.")
    accepted: set[str] = set()
    client = get_aws_client("cloudfront")
    with suppress(client.exceptions.TooManyInvalidationsInProgress):  # the queue tries again
        for image_id, reference in references.items():
            paths = [f"/{folder}/{image_id}/*" for folder in FOLDERS]
            batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": reference}
            client.create_invalidation(DistributionId=distribution_id, InvalidationBatch=batch)
            accepted.add(image_id)
    return accepted
