"""Lists and searches: a page of images in bounded work, however many images there are.

A list has an order, and filters and words that narrow it down. A cursor holds the last image of a page; the
next page begins after it. There are two plans:

(a) Walk the index of the order: the next 50 entries are the page. Serves all images, those of a category, and
    a time range in time order.
(b) Narrow down. Every image carries tokens: hashes of its tags, category, media type, width and height, of
    the pieces of its text, and of the time buckets that contain its id. The GIN index on tokens finds
    candidates, the images with all tokens of a query. Hashes collide, so each is checked against the query
    itself; the first matches are the page. The index collects all candidates, so they have to be bounded:
    - In time order, one time range after another is searched. First the next 500 images are scanned, which
      serves common filters and measures the density of matches. The density sets the length of the first
      range. A range with few matches is followed by a longer one; too many candidates cut it to a third.
    - By title or size (in bytes), all matches have to be sorted. Up to MAX_SORTED that is fast; beyond it the
      answer is 422 ``too_many_to_sort``. A sample (a token on one image in 256) shows beforehand whether
      there are far too many.

A search has two tiers, best matches first: all words in title and tags, then the rest. A page runs at most
eight statements. If they do not suffice, it is short, and its cursor says where to continue.

The path of a page: ``list_parameters`` → ``cursors`` → ``sort_orders`` → ``conditions`` (SQL, with
``tokens``) → ``find_page`` → (a) ``scan_index``; (b) ``time_search`` or ``sort_matches``. ``statements`` has
their common SQL, ``counts`` counts a list.
"""
