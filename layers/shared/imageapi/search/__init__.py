"""Lists and searches: a page of images with bounded work, for any number of images.

A list has an order; filters and words narrow it down. A cursor contains the last image of a page, and the
next page begins after it. There are two plans:

(a) Read the index of the order: the next 50 entries are the page. This serves all images, those of a
    category, and a time range in time order.
(b) Narrow down. Each image has tokens: hashes of its tags, category, media type, width and height, of the
    pieces of its text, and of the time buckets that contain its id. The GIN index on tokens finds candidates:
    the images with all tokens of a query. Hashes collide, so each candidate is checked against the query. The
    first matches are the page. The index collects all candidates, so their number must be bounded:
    - In time order, one time range is searched after another. A scan of the next 500 images serves common
      filters and measures the density of matches, which sets the length of the first range. After a range
      with few matches, the next is longer; after too many candidates, it is a third.
    - By title or size (in bytes), all matches must be sorted. Up to MAX_SORTED, that is fast. Above it, the
      response is 422 ``too_many_to_sort``. A sample (a token on one image in 256) detects far too many in
      advance.

A search has two tiers, best matches first: all words in title and tags, then the rest. A page runs at most
eight statements. If they do not suffice, the page is short, and the next one continues from its cursor.

The path of a page: ``list_parameters`` → ``cursors`` → ``sort_orders`` → ``conditions`` (SQL, with
``tokens``) → ``find_page`` → (a) ``scan_index``; (b) ``time_search`` or ``sort_matches``. ``statements`` has
their common SQL. ``counts`` counts a list.
"""
