"""Which hosts the local gateway answers for.

A page may have a name of its own lead to this machine (DNS rebinding), and the browser takes what answers
there for that page's own. The Host header still has the page's name.
"""

import ipaddress
import re
from collections.abc import Callable

HERE = frozenset({"localhost", "127.0.0.1", "::1"})
HOST_HEADER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]*)?")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def make_host_check(bound_to: str, public_base_url: str) -> Callable[[str], bool]:
    """Tells of a Host header whether it names a service that listens on `bound_to`.

    Its own names are those of this machine and PUBLIC_BASE_URL's. Where others reach it, it is also called by
    addresses, and by names that no stranger can register: those without a dot, such as a container's.
    """
    public = public_base_url.partition("://")[2].partition("/")[0]
    names = HERE | {_host_of(public)} - {""}
    is_open = not is_loopback(bound_to)

    def is_ours(header: str) -> bool:
        host = _host_of(header)
        return host in names or (is_open and bool(host) and ("." not in host or _is_address(host)))

    return is_ours


def _host_of(header: str) -> str:
    """In lower case, without port and brackets; empty when it is none."""
    found = HOST_HEADER.fullmatch(header)
    return (found[1] or found[2]).lower() if found else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
