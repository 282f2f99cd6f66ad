"""Delivery: a signed link becomes a redirect to the object store.

Enter at ``deliver.deliver_image()``. ``links`` signs and checks links, ``render`` makes a variant at its
first request, ``store`` keeps it.
"""
