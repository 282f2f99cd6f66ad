"""Ports of a local run: those of its servers, and internal ones of the S3 server."""

import os
import socket

from local.servers.ports import HOST, PORTS, free_port, port_taken
from local.servers.s3 import choose_internal_ports


def test_a_free_port_is_below_those_of_outgoing_connections() -> None:
    for _ in range(50):
        port = free_port()
        assert port in PORTS
        with socket.create_server((HOST, port)):
            assert free_port() != port


def test_internal_ports_are_the_same_for_the_same_port_and_below_those_of_outgoing_connections() -> None:
    for port in range(1024, 65536, 641):
        found = choose_internal_ports(port)
        assert found == choose_internal_ports(port)
        assert len(set(found.values())) == len(found)
        assert PORTS.stop <= min(found.values()) <= max(found.values()) < 32_768
        assert found["admin.port.grpc"] == found["admin.port"] + 10_000


def test_internal_ports_move_on_from_one_that_is_taken() -> None:
    taken = choose_internal_ports(9000)["filer.port"]
    with socket.create_server((HOST, taken)):
        assert taken not in choose_internal_ports(9000).values()


def test_port_error_names_who_has_it_and_the_variable_that_moves_it() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        text = str(port_taken(port, "PostgreSQL", "DB_PORT"))
    assert text.startswith(f"Port {port}, meant for PostgreSQL, is taken by ")
    assert f"(pid {os.getpid()}). Stop that, or take another port: make run DB_PORT={port + 1}" in text
