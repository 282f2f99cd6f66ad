"""The text of an API key: ``imgapi_``, 256 random bits, and a checksum. Pure.

The prefix and the checksum allow secret scanners to find keys without false alarms, like GitHub's tokens
(https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
"""

import hashlib
import re
import secrets
import zlib

PREFIX = "imgapi_"
SHOWN = len(PREFIX) + 5
"""The number of characters of a key that lists show, so that people recognize it."""
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH, CHECKSUM_LENGTH = 43, 6
"""In base 62: 256 bits, and the CRC-32 of these characters."""

_KEY = re.compile(f"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})", re.ASCII)


def make_key() -> str:
    random = _encode(secrets.randbits(256), RANDOM_LENGTH)
    return f"{PREFIX}{random}{_checksum(random)}"


def is_well_formed(key: str) -> bool:
    """Whether the text is a key with a correct checksum."""
    match = _KEY.fullmatch(key)
    return match is not None and _checksum(match[1]) == match[2]


def hash_key(key: str) -> bytes:
    """The stored hash of a key. 256 random bits cannot be guessed, so it needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(random: str) -> str:
    return _encode(zlib.crc32(random.encode()), CHECKSUM_LENGTH)


def _encode(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
