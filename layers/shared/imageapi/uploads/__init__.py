"""Uploads: how a picture and its metadata become an image.

``direct.upload_image``         one request brings both, and its response comes when both are stored
``presigned.create_upload``     a client announces a file and gets a form for the object store
``presigned.complete_upload``   the file has arrived: check it, and make the image

The steps of both: the row of the upload (committed) → the object → the row of the image (committed). A crash
in between leaves a pending upload, with or without its object. The same request with its Idempotency-Key
finishes it, or the sweep completes or undoes it.
"""
