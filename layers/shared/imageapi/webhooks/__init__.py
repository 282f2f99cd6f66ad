"""Webhooks: tell other services of changes. Each row of ``webhooks`` is a queue: it knows the last change
that was accepted, and is leased while the next are sent.

With the database: ``manage`` answers the routes, ``queue.take()`` leases what is due, ``queue.settle()``
notes the results, and ``progress`` decides when the next attempt is. Outside the network, without the
database: ``send.send_all()`` sends what was taken, and ``notify.work_off()`` takes, sends and settles until
nothing is due.

``addresses`` refuses addresses that are not public, ``sign`` makes secrets and signatures, ``messages`` what
is sent, ``answer`` what comes back. ``wake`` starts the sending after a change, from the network, which
reaches S3 only.
"""
