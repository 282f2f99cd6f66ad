"""API keys: check the key of a request (``check``); create, list, update, revoke and confirm keys
(``manage``), with ``fields`` that clients set.

``format`` generates the text of a key. Only its SHA-256 is stored. Root keys are not in the table.
"""
