"""The object store: S3, or a server that speaks its protocol.

Enter at ``s3`` (put, download, delete, list) and ``signing`` (URLs and forms that browsers use). ``clients``
has the connections of this process. ``keys`` makes the keys, none of which is used twice:

- ``originals/<id>.<extension>``: what was uploaded.
- ``incoming/<id>``: what a presigned upload brings, until it has been checked.
- ``variants/<id>/<name>``: variants and intermediates, which can be made again at any time.
"""
