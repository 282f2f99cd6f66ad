"""The object store: S3, or a server that speaks its protocol.

Entry points: ``s3`` (put, download, delete, list), ``versions`` (checksums, and what a bucket with versioning
still has) and ``signing`` (URLs and forms for browsers). ``clients`` has this process's connections.
``object_keys`` makes the keys:

- ``originals/<id>.<extension>``: the uploaded bytes.
- ``incoming/<id>``: a presigned upload, until it is checked.
- ``variants/<id>/<name>``: variants and intermediates, which can be rendered again at any time.
- ``webhooks/wake``: empty; its notifications start the sending of webhooks.
"""
