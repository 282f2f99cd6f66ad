"""Delivery: a signed link becomes a redirect to the object store.

Entry point: ``deliver.deliver_image()``. ``links`` signs and checks links, ``make_variant`` renders variants
on demand, ``variant_store`` stores them.
"""
