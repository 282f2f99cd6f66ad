"""CloudFront's cache. ``infra/edge.yaml`` has everything else about CloudFront.

Entry point: ``invalidate.invalidate_images()``, which removes images from the cache.
"""
