"""Webhooks: notify other services of changes. Each row of ``webhooks`` is a queue: it knows the last change
that was accepted, and is leased while the next are sent.

``manage`` answers the routes, whose ``fields`` it checks, whose ``fields`` it checks, ``due.take()``
leases what is due, ``due.settle()`` notes the results, and
``retries`` decides when the next attempt is. ``messages`` has what is sent. ``wake`` starts the sending after
a change, from the network, which reaches S3 only. ``webhook_sender`` sends.
"""
