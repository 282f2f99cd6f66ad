"""Lists and searches: a page of images with a bounded amount of work, however many images there are.

A list has an order, and filters and words that narrow it down. A cursor holds the last image of a page, and
the next page begins behind it. There are two plans:

(a) Walk. All images, or those of a category, are read along the index of their order: the next 50 entries are
    the page.
(b) Narrow down. Every image carries tokens: hashes of its tags, category, media type, size, of the pieces of
    its text, and of the time ranges that its id lies in. The GIN index on tokens finds the images that have
    all tokens of a query; each is checked against the query itself, because hashes collide; the best are the
    page. An index scan of GIN reads everything that matches, so something has to bound that:
    - In an order of time, one range of time after another is asked for. First the next 500 images are read as
      in plan (a), which serves common filters, and shows how frequent matches are. That says how long the
      first range has to be. A range that has too few matches is followed by a longer one, a range that has
      too many by a shorter one.
    - By title or size all matches have to be sorted. Up to MAX_SORTED matches that is quick; beyond it the
      answer is 422 ``too_many_to_sort``. A sample of one image in 256, which is a token too, says beforehand
      whether there are far too many.

A search has two tiers, best matches first: all words in title and tags, then the rest. A page may run at most
eight statements. Where they do not suffice it is short, and its cursor says where to continue.

The path of a page: query (parameters) → cursors → orders → conditions (SQL and tokens) → pages (the plans).
``totals`` counts a list, ``facets`` categories and tags.
"""
