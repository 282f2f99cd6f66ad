"""The Host headers that the local gateway accepts.

A web page can let its own host name resolve to this machine (DNS rebinding). The browser then allows it to
read the gateway's responses, but the Host header still contains that name.
"""

import ipaddress
import re
from collections.abc import Callable

from local.settings import LOOPBACK_NAMES

HOST_HEADER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]*)?")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def make_host_check(bound_to: str, public_base_url: str) -> Callable[[str], bool]:
    """Return a check of Host headers for a service that listens on `bound_to`.

    It accepts localhost and the host of PUBLIC_BASE_URL. If other machines can reach the service, it also
    accepts IP addresses and names without a dot, such as a container's, which attackers cannot register.
    """
    public = public_base_url.partition("://")[2].partition("/")[0]
    names = LOOPBACK_NAMES | {_host_of(public)} - {""}
    is_open = not is_loopback(bound_to)

    def is_ours(header: str) -> bool:
        host = _host_of(header)
        return host in names or (is_open and bool(host) and ("." not in host or _is_address(host)))

    return is_ours


def _host_of(header: str) -> str:
    """The host in lower case, without port and brackets; empty if the header is malformed."""
    found = HOST_HEADER.fullmatch(header)
    return (found[1] or found[2]).lower() if found else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
