"""Delivery: a signed link becomes a redirect to the object store.

Entry point: ``deliver.deliver_image()``. ``links`` signs and verifies links, ``ensure_variant`` renders a
variant at its first request, ``variant_store`` stores it.
"""
