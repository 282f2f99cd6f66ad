"""The service with webhooks, which may be sent to loopback."""

from collections.abc import Iterator

import pytest
from imageapi.webhook_sender import send

from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.receiver import Receiver, receiver
from tests.integration.webhooks.sending import ENVIRONMENT, LIMIT
from tests.support.settings import use_settings


@pytest.fixture
def service(stores: Stores, configure: Configure) -> Stores:
    configure(WEBHOOKS="true", WEBHOOK_ALLOW_PRIVATE="true")
    return stores


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A delivery may take LIMIT seconds, and go to loopback."""
    monkeypatch.setattr(send, "DELIVERY_SECONDS", LIMIT)
    with use_settings(monkeypatch, ENVIRONMENT | {"WEBHOOK_ALLOW_PRIVATE": "true"}):
        yield
