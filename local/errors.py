"""The error of commands. They print its message without a traceback, then exit."""


class LocalError(Exception):
    """Its message says what is wrong and how to fix it."""
