"""Images in the API: ``list``, ``list_trash``, ``get``, ``update``, ``delete``, ``restore``,
``revoke_links``, one verb per file.

``batch`` changes many images, after ``batch_request`` has checked the request. ``serialize`` builds the JSON.
"""
