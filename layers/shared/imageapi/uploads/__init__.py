"""Uploads: from a request to an image.

Entry points: ``direct.upload_image()`` (one request carries the file) or ``presigned.create_upload()`` and
``complete.complete_upload()`` (the client posts it to the object store). Both end in
``create_image``, or in ``undo``, which removes what is stored. ``idempotency`` finds the upload of a retry,
``get`` shows an upload.
"""
