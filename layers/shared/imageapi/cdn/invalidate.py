"""Removes images from CloudFront's cache: deleted ones, and those whose permanent links were revoked."""

from collections.abc import Mapping
from contextlib import suppress

from imageapi.config.aws_clients import get_aws_client
from imageapi.config.settings import get_settings
from imageapi.errors import ConfigurationError

FOLDERS = ("images", "variants")
"""Of the paths that are invalidated. Only variants are cached, but AWS recommends to invalidate the path that
viewers ask for as well when a function at the edge changes it.
"""


def invalidate_images(references: Mapping[str, str]) -> set[str]:
    """Invalidate everything that is cached of these images, as long as CloudFront accepts it: it works on 15
    paths with a wildcard at a time.

    Args:
        references: for each image id, the text by which CloudFront knows a repeated request.

    Returns:
        The ids that CloudFront has accepted. Ask for the others again later.

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
