"""Webhooks: notify other services of changes. Each row of ``webhooks`` is a queue: it contains the sequence
of the last accepted or skipped change, and is leased while the next changes are sent.

``manage`` implements the routes, whose ``fields`` are checked. ``due.take()`` leases due deliveries,
``due.settle()`` records the results, and ``retries`` schedules the next attempt. ``messages`` builds the
messages, and ``webhook_sender`` sends them. ``wake`` starts it after a change.
"""
