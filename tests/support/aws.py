"""An AWS emulator: the one named by AWS_ENDPOINT_URL or LOCALSTACK_HOST, or one started by the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


def find_endpoint() -> str | None:
    """The address in the environment of LocalStack, ministack or moto's server."""
    if url := os.environ.get("AWS_ENDPOINT_URL"):
        return url
    if host := os.environ.get("LOCALSTACK_HOST"):
        return f"http://{host}" if ":" in host else f"http://{host}:4566"
    return None


@contextmanager
def emulate_aws() -> Iterator[str]:
    """The address of the emulator in the environment, or of a moto server started for this block."""
    if endpoint := find_endpoint():
        yield endpoint
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_client(service: str, endpoint: str, **keys: str) -> Any:
    """A boto3 client.

    Args:
        keys: ``aws_access_key_id`` and ``aws_secret_access_key``, if the identity matters.
    """
    default = {"aws_access_key_id": "accesskey", "aws_secret_access_key": "secretkey"}
    create: Any = boto3.client  # typed for each service by name
    return create(service, region_name="us-east-1", endpoint_url=endpoint, **default | keys)
