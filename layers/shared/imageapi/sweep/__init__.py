"""The sweep: settles what crashes left behind, and reports what it cannot settle.

``sweeping.sweep`` is the whole of it: changes of counts, expired Idempotency-Keys, then rows whose lease has
run out (``settling``), then a comparison of all objects with all rows (``comparing``), which finds objects
without a row (``orphans``).

It may run beside live traffic, and two at once do no harm: a row is settled under its lease, or when nothing
can bring it back, and objects are only removed when they are older than any request can be.
"""
