"""The one error that ends a command with a line for its reader instead of a traceback."""


class LocalError(Exception):
    """Says in one sentence what is wrong and what to do about it."""
