"""Delivery: a signed link becomes a redirect to the object store.

Enter at ``deliver.deliver_image()``. ``links`` signs and checks links, ``make_variant`` renders a variant at
its first request, ``variant_store`` keeps it.
"""
