"""Plain values and their rules, without I/O: what everything else speaks about.

=====================  ======================================================================
``ids``                UUIDv7: the id of an image, and the time in it
``metadata``           title, description, category and tags: limits and validation
``filenames``          names of files, coming in and going out
``text``               text as searches compare it
``variants``           names, widths and formats of variants
``parameters``         query parameters, checked in one way for all routes
=====================  ======================================================================
"""
