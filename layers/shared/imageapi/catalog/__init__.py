"""Image rows, from upload to deletion. All SQL on these tables is here, except searches.

====================  =====================================================================
``uploads``           pending and failed uploads
``idempotency_keys``  the resource that each Idempotency-Key created
``images``            images; ``insert`` turns an upload into one
``trash``             images in the trash; ``move`` and ``restore`` turn images into them and back
``originals``         the objects of images, in the trash or not
``pending_removals``  images whose objects are being removed; ``begin`` turns an image into one
``batches``           results of POST /api/images/batch, by Idempotency-Key
``bulk_updates``      changes of many images
``variants``          variants: ready, pending or failed
``analyses``          Gemini's descriptions, and the queue of analyses
``budgets``           uses of daily limits
``facets``            image counts: in total, per category and per tag
``resources``         versions and pages, common to API keys and webhooks
``api_keys``          API keys
``changes``           the feed: changes of images, API keys and webhooks, in the order of commits
``webhooks``          webhooks, each the queue of its deliveries
``sweep_progress``    progress of the sweep's comparison of objects with rows
====================  =====================================================================

Each function is one state transition or one query. It commits by itself unless it gets a cursor. None calls
another service: the use cases order the steps. Work on a row needs its lease: ``acquire_lease`` sets
``lease_until`` and a new ``lease_token``, which every later statement must match. All tables share one
sequence of tokens, so a row that is deleted and inserted again never repeats a token.
"""
