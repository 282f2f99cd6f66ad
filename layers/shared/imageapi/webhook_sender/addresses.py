"""The URLs of webhooks: their form, and the permitted addresses."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from imageapi.dns import look_up

MAX_URL_LENGTH = 2_000
LOOKUP_SECONDS = 3.0

_FORM = re.compile(r"[!-~]+", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._:-]+", re.ASCII)

# Public IPv6 addresses. All others are private, or contain an IPv4 address: mapped (::ffff:), compatible
# (::), NAT64 (64:ff9b:).
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_REFUSED = (
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments; for Python, two are global
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.ip_network("2001::/23"),  # protocol assignments, among them Teredo
    ipaddress.ip_network("2002::/16"),  # 6to4
    ipaddress.ip_network("3fff::/20"),  # documentation; missing in older Pythons
)


class Target(NamedTuple):
    """The target of a delivery: ``host`` as in the certificate, ``path`` with the query."""

    scheme: str
    host: str
    port: int
    path: str


class AddressError(Exception):
    """The address of a host is not permitted or not known.

    Attributes:
        code: ``address_private`` or ``address_unknown``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_url(url: str, *, allow_private: bool) -> Target:
    """The parts of a URL.

    Args:
        allow_private: whether http is allowed as well.

    Raises:
        ValueError: the message completes "The field url …".
    """
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"must have at most {MAX_URL_LENGTH:,} characters")
    if not _FORM.fullmatch(url):
        raise ValueError("must contain only printable ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or a password")
    if "#" in url or "\\" in url:
        raise ValueError("must not contain a fragment or a backslash")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        raise ValueError("must have a host name or an address, and no port or one from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path)


def find_addresses(host: str, seconds: float, *, allow_private: bool) -> list[str]:
    """The addresses of a host, all public. Connect to one of these: a second lookup might return others.

    Raises:
        AddressError: an address is not public, or the host is unknown.
        TimeoutError: the lookup takes longer than ``seconds``.
    """
    try:
        addresses = look_up(host, seconds)
    except TimeoutError:
        raise
    except OSError:
        raise AddressError("address_unknown") from None
    if not allow_private and not all(map(is_public, addresses)):
        raise AddressError("address_private")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address is public and contains no other address."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in _GLOBAL_IPV6):
        return False
    if any(address.version == network.version and address in network for network in _REFUSED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
