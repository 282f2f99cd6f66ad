"""Revoke the permanent links of an image."""

from imageapi.actor import get_actor
from imageapi.catalog import budgets, images
from imageapi.database import db
from imageapi.delivery.removals import put_marker
from imageapi.images.get import get_image
from imageapi.model.ids import parse_id

REVOCATIONS_PER_DAY = 1_000
"""For each API key: CloudFront charges for each."""


def revoke_links(image_id: str) -> db.Row:
    """Revoke all permanent links of an image that exist now.

    Behind CloudFront, an object's notification starts the function that invalidates the image.
    Only then: an invalidation before the new link version could be undone by a request in flight.

    Returns:
        The image, with its new link version.

    Raises:
        ImageNotFoundError: there is no such image.
        TooManyRequestsError: ``revocation_budget_spent``.
        StorageUnavailableError: revoked, but CloudFront still has cached copies; send it again.
    """
    image_id = parse_id(image_id)
    name = f"revocations by the API key {get_actor().key_id}"
    budgets.spend(name, REVOCATIONS_PER_DAY, code="revocation_budget_spent")
    while (row := images.raise_link_version(image_id)) is None:
        get_image(image_id)  # raises, unless the image came back from the trash since
    put_marker(row["id"])
    return row
