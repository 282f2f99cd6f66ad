"""Lists and searches: a page of images with bounded work, however many images there are.

A list has an order, and filters and words that narrow it down. A cursor holds the last image of a page, and
the next page begins behind it. There are two plans:

(a) Walk. All images, or those of a category, are read along the index of their order: the next 50 entries are
    the page. So is a range of time in an order of time.
(b) Narrow down. Every image carries tokens: hashes of its tags, category, media type, width and height, of
    the pieces of its text, and of the buckets of time that its id lies in. The GIN index on tokens finds
    candidates, the images that have all tokens of a query; each is checked against the query itself, because
    hashes collide; the best are the page. The index collects all candidates, so something has to bound them:
    - In an order of time, one range of time after another is asked for. First the next 500 images are read
      one by one, which serves common filters, and shows how frequent matches are. That says how long the
      first range has to be. One with few matches is followed by a longer one, one with too many candidates
      by a third of it.
    - By title or size (in bytes) all matches have to be sorted. Up to MAX_SORTED that is quick; beyond it the
      answer is 422 ``too_many_to_sort``. A sample of one image in 256, which is a token too, says beforehand
      whether there are far too many.

A search has two tiers, best matches first: all words in title and tags, then the rest. A page may run at most
eight statements. Where they do not suffice it is short, and its cursor says where to continue.

The path of a page: ``list_parameters`` → ``cursors`` → ``sort_orders`` → ``conditions`` (SQL, with
``tokens``) → ``plans``. ``counts`` counts a list.
"""
