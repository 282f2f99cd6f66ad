"""Images in the API: ``list``, ``get``, ``update``, ``delete``, ``revoke_links``, one verb per file.

``serialize`` makes the JSON, ``etag`` makes ETags and parses If-Match.
"""
