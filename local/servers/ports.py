"""Ports for the servers of a run, and the owner of a port in use."""

import contextlib
import random
import socket

import psutil

from local.errors import LocalError

HOST = "127.0.0.1"
PORTS = range(10_000, 20_000)
"""Below those of outgoing connections (from 32,768) and of the S3 server's internal ports (from 20,000)."""


def free_port() -> int:
    """A free port from PORTS. Elsewhere, an outgoing connection could use it before the server, and a client
    that waits for the server could even connect to itself.
    """
    return next(port for port in random.sample(PORTS, len(PORTS)) if is_port_free(port))


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def port_taken(port: int, purpose: str, variable: str) -> LocalError:
    """An error that names the port's owner, if known, and the variable that changes the port."""
    return LocalError(
        f"Port {port} ({purpose}) is already in use{_port_owner(port)}. "
        f"Stop that process, or choose another port: make run {variable}={port + 1}"
    )


def _port_owner(port: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
