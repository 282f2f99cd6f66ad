"""The service, with webhooks on that may go to loopback."""

from collections.abc import Iterator

import pytest

from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.receiver import Receiver, receiver


@pytest.fixture
def service(stores: Stores, configure: Configure) -> Stores:
    configure(WEBHOOKS="true", WEBHOOK_ALLOW_PRIVATE="true")
    return stores


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found
