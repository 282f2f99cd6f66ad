"""Image rows, from upload to deletion. All SQL on these tables is here, except searches.

====================  =====================================================================
``uploads``           pending and failed uploads
``idempotency_keys``  what each Idempotency-Key created
``images``            images; ``insert`` turns an upload into one
``trash``             images in the trash; ``move`` and ``restore`` turn images into them and back
``originals``         the objects of images, in the trash or not
``pending_removals``  images whose objects are being removed; ``begin`` turns an image into one
``batches``           what POST /api/images/batch did for each Idempotency-Key
``bulk_updates``      changes of many images
``variants``          variants: ready, pending or failed
``analyses``          Gemini's descriptions, and the queue of analyses
``budgets``           what may be done a limited number of times a day
``facets``            image counts: in total, per category and per tag
``resources``         what API keys and webhooks have in common: versions and pages
``api_keys``          API keys
``changes``           what happened to images and keys, in the order of commits
``webhooks``          webhooks, each the queue of its deliveries
``sweep_progress``    how far the sweep has compared objects with rows
====================  =====================================================================

Each function is one state transition or one query, committed on its own unless it takes a cursor. None calls
another service: the use cases order the steps. Work on a row needs its lease: ``acquire_lease`` sets
``lease_until`` and a new ``lease_token``, which every later statement has to match. Tokens of all tables come
from one sequence, so a row that is deleted and inserted again never has an earlier one.
"""
