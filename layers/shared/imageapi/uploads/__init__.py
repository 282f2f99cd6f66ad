"""Uploads: from a request to an image.

Entry points: ``direct.upload_image()`` (one request carries the file) or ``presigned.create_upload()`` and
``complete.complete_upload()`` (the client posts it to the object store). Both end in
``finish.create_image()``; ``undo`` removes a failed one. ``idempotency`` maps a retry to the same upload.
"""
