"""What happened: ``feed`` reads all changes in the order of their commits, ``history`` those of one image.

``cursor`` remembers the last change that was read, ``serialize`` writes changes as JSON.
"""
