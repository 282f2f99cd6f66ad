"""The error whose message a command prints before it ends, without a traceback."""


class LocalError(Exception):
    """Its message says what is wrong and how to fix it."""
