"""Images as the API has them: ``list``, ``get``, ``update``, ``delete``, one verb a file.

``serialize`` makes the JSON, ``etag`` the ETag and the check of If-Match.
"""
