"""Delivery: check a signed link, then redirect to the object store, or return the bytes to CloudFront.

Entry points: ``deliver.deliver_image()``, ``deliver.deliver_content()``. ``links`` signs and verifies links.
``ensure_variant`` renders a variant at its first request, ``variant_store`` stores it. ``removals`` removes
the objects of deleted images.
"""
