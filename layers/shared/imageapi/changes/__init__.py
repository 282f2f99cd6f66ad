"""Changes: ``feed`` reads all of them in the order of their commits, ``history`` those of one image.

``waiting`` limits the number of waiting requests. ``cursor`` encodes the position of the last change that was
read, ``serialize`` writes changes as JSON, and ``retention`` removes old ones.
"""
