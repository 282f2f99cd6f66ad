"""Uploads: from a request to an image.

Entry points: ``direct.upload_image()`` (the request contains the file) or ``presigned.create_upload()`` and
``complete.complete_upload()`` (the client posts the file to the object store). Both end in ``create_image``,
or in ``undo``, which removes stored objects. ``idempotency`` finds the upload of a retry. ``get`` reads one.
"""
