"""The rows of images, from their upload to their deletion. All SQL on these tables is here, but for
searches.

====================  =====================================================================
``uploads``           on their way in, and the Idempotency-Keys that stand for them
``images``            images; ``insert`` turns an upload into one
``deletions``         on their way out; ``begin`` turns an image into one
``variants``          the variants of images, ready, being made, or failed
``analyses``          what Gemini says of images, and which images wait for that
``facets``            how many images there are, in each category and with each tag
====================  =====================================================================

Each function is one transition or one question, committed by itself unless it takes a cursor. None speaks to
another service: the use cases decide which steps follow each other. Work on a row needs its lease:
``acquire_lease`` sets ``lease_until`` and a new ``lease_token``, which every later statement has to name.
"""
