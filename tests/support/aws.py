"""An AWS emulator: the one named by AWS_ENDPOINT_URL or LOCALSTACK_HOST, or one started by the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from localstack_client.config import get_service_endpoint
from localstack_client.session import Session
from moto.server import ThreadedMotoServer


def find_endpoint() -> str | None:
    """The address in the environment of LocalStack, ministack or moto's server."""
    if os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("LOCALSTACK_HOST"):
        return str(get_service_endpoint("s3"))
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
    return Session(localstack_host=urlsplit(endpoint).netloc, **keys).client(service)
