"""Sends webhooks. Runs outside the network, without the database and the bucket.

``send.send_all()`` sends what ``webhooks.due`` has leased; on AWS, ``drain.drain_queue()`` takes, sends and
settles until nothing is due. ``addresses`` refuses addresses that are not public, ``sign`` makes secrets and
signatures, ``response`` reads what comes back.
"""
