"""Formats of the pictures that can be uploaded. Pure."""

FORMATS = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "BMP": ("image/bmp", "bmp"),
    "TIFF": ("image/tiff", "tif"),
}
"""Pillow's format: (media type, file extension)."""
MIME_TYPES = tuple(mime_type for mime_type, _ in FORMATS.values())
