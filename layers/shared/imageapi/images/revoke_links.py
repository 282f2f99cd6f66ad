"""Revoke the permanent links of an image."""

from imageapi.actor import get_actor
from imageapi.catalog import budgets, images
from imageapi.database import db
from imageapi.delivery.removals import put_marker
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id

REVOCATIONS_PER_DAY = 1_000
"""For each API key, because CloudFront charges for each revocation."""


def revoke_links(image_id: str) -> db.Row:
    """Revoke all existing permanent links of an image.

    Behind CloudFront, a marker's notification then starts the function that invalidates the image. Before the
    new link version, a request in progress could undo an invalidation.

    Returns:
        The image with its new link version.

    Raises:
        ImageNotFoundError: the image does not exist.
        TooManyRequestsError: ``revocation_budget_spent``.
        StorageUnavailableError: links are revoked, but CloudFront still has cached copies; send it again.
    """
    image_id = parse_id(image_id)
    name = f"revocations by the API key {get_actor().key_id}"
    budgets.spend(name, REVOCATIONS_PER_DAY, code="revocation_budget_spent")
    while (row := images.raise_link_version(image_id)) is None:
        get_image(image_id)  # raises, unless the image was restored since
    put_marker(row["id"])
    return row
