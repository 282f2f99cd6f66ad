"""The object store: S3, or a server that speaks its protocol.

Entry points: ``s3`` (put, download, delete, list), ``versions`` (checksums and older versions) and
``signing`` (URLs and forms for browsers). ``clients`` has this process's connections. ``object_keys`` derives
the keys:

- ``originals/<id>.<extension>``: the uploaded bytes.
- ``incoming/<id>``: the file of a registered upload, until it is checked.
- ``variants/<id>/<name>``: variants and intermediates, which can be rendered again.
- ``webhooks/wake``: empty; its notifications start the sending of webhooks.
"""
