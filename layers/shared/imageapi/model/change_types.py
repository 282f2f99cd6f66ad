"""The types of changes, which the triggers in init_db.sql write to the feed."""

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
"""The value for all types in a webhook."""
