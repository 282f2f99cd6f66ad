"""Find out whether memory ran out: codecs then report a broken image, and only C's errno shows the cause."""

import ctypes
import errno
from functools import cache


def forget_errors() -> None:
    """Clear errno, which no successful call does."""
    _errno().value = 0


def is_out_of_memory() -> bool:
    """Whether an allocation has failed. Call it right after an error."""
    return _errno().value == errno.ENOMEM


@cache
def _errno() -> ctypes.c_int:
    """The C errno of this thread; 0 if it cannot be read."""
    try:
        locate = ctypes.CDLL(None).__errno_location
    except AttributeError:  # not Linux
        return ctypes.c_int(0)
    locate.restype = ctypes.POINTER(ctypes.c_int)
    contents: ctypes.c_int = locate().contents
    return contents
