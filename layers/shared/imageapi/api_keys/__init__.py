"""API keys: ``check`` the key of a request; create, list, update, revoke and confirm keys
(``manage``), whose ``fields`` clients set.

``format`` makes the text of a key, of which only the SHA-256 is stored. The root key, API_KEY of the
environment, is not in the table.
"""
