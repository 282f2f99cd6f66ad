"""Uploads: from a request to an image.

Entry points: ``direct.upload_image()`` (one request carries the file) or ``presigned.create_upload()`` and
``complete.complete_upload()`` (the client posts it to the object store). Both end in
``create_image.create_image()``: an image or nothing. ``idempotency`` maps a retry to the same upload.
"""
