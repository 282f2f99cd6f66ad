"""Images in the API: ``list``, ``list_trash``, ``get``, ``update``, ``delete``, ``restore``,
``revoke_links``, one verb per file.

``serialize`` makes the JSON, ``etag`` makes ETags and parses If-Match.
"""
