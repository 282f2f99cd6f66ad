"""Images in the API: ``list``, ``get``, ``update``, ``delete``, one verb per file.

``serialize`` makes the JSON, ``etag`` makes ETags and parses If-Match.
"""
