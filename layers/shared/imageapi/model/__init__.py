"""Plain values and their rules, without I/O: what everything else speaks about.

=====================  ======================================================================
``ids``                UUIDv7: the id of an image, and the time in it
``metadata``           title, description, category and tags: limits and validation
``filenames``          names of files, coming in and going out
``text``               text as searches compare it
``variant_names``      names and widths of variants
``variant_formats``    formats of variants, and which one an Accept header gets
``parameters``         query parameters, checked in one way for all routes
=====================  ======================================================================
"""
