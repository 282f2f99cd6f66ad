"""Formats of uploads. Pure."""

FORMATS = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "BMP": ("image/bmp", "bmp"),
    "TIFF": ("image/tiff", "tif"),
}
"""Media type and file extension, by Pillow's name of the format."""
MIME_TYPES = tuple(mime_type for mime_type, _ in FORMATS.values())
