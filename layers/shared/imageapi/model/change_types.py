"""The types of changes in the feed, which the triggers in init_db.sql write."""

CHANGE_TYPES = (
    "image.uploaded",
    "image.changed",
    "image.analyzed",
    "image.trashed",
    "image.restored",
    "image.deleted",
    "image.links_revoked",
    "key.created",
    "key.changed",
    "key.revoked",
    "webhook.created",
    "webhook.changed",
    "webhook.deleted",
)
ALL_TYPES = "*"
"""What a webhook gives for all of them."""
