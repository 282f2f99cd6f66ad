"""What happened: ``feed`` reads all changes in the order of their commits, ``history`` those of one image.

``waiting`` bounds how many requests wait, ``cursor`` remembers the last change that was read, ``serialize``
writes changes as JSON, ``retention`` forgets old ones.
"""
