"""Images in the API: ``list``, ``list_trash``, ``get``, ``update``, ``delete``, ``restore``,
``revoke_links``, one verb per file.

``batch`` changes many images, as ``batch_request`` checks. ``serialize`` makes the JSON, ``etag`` makes ETags
and parses If-Match.
"""
