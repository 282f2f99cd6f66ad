"""Domain values and their rules. Pure.

=====================  ======================================================================
``ids``                image ids: UUIDv7 with the time of creation
``metadata``           title, description, category and tags: limits and cleaning
``filenames``          file names: cleaning and Content-Disposition
``text``               text normalization for search
``image_formats``      formats of uploads, recognized by their first bytes
``picture``            the description of a decoded image
``variant_names``      names, widths and sizes of variants
``variant_formats``    formats of variants and content negotiation
``scopes``             permissions of API keys
``change_types``       types of changes in the feed
``parameters``         query parameters: checks and conversion
``schemas``            JSON bodies: checks against the schemas of openapi.json
``idempotency``        Idempotency-Keys and hashes of their requests
``times``              times in the API
``cursor_codec``       cursors as text, bound to the filters of a list
=====================  ======================================================================
"""
