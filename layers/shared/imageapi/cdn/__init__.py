"""CloudFront's cache. ``infra/edge.yaml`` contains the rest of CloudFront.

Entry point: ``invalidate.invalidate_images()``, which removes images from the cache.
"""
