"""Uploads: from a request to an image.

Enter at ``direct.upload_image()`` (one request brings the file) or ``presigned.create_upload()`` and
``complete.complete_upload()`` (the client posts the file to the object store). Both end in
``outcome.create_image()``: the image, or nothing. ``idempotency`` makes a retry the same upload.
"""
