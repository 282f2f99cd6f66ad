"""Send webhooks. This room runs outside the private network, without the database and the bucket.

``send.send_all()`` sends the deliveries that ``webhooks.due`` has leased. On AWS, ``drain.drain_queue()``
takes, sends and settles until nothing is due. ``addresses`` rejects addresses that are not public, ``sign``
generates secrets and signatures, and ``response`` reads responses.
"""
