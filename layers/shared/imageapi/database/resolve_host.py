"""Resolve PostgreSQL's address, with a time limit."""

import psycopg2

from imageapi.dns import look_up


def resolve_host(host: str, seconds: float) -> dict[str, str]:
    """libpq's arguments for a host, with its addresses, because libpq's own lookup is unlimited.

    Raises:
        psycopg2.OperationalError: the host is unknown, or the lookup takes longer than ``seconds``.
    """
    if host.startswith("/"):  # the folder of a socket
        return {"host": host}
    try:
        addresses = look_up(host, seconds)
    except OSError as error:  # TimeoutError is one
        raise psycopg2.OperationalError(f"no address of {host}: {error}") from error
    # The name stays: certificates are checked against it.
    return {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}
