"""A fake Gemini."""

from collections.abc import Iterator

import pytest

from tests.integration.analyses import gemini_beside
from tests.integration.stores import Configure, Stores
from tests.support.gemini_server import GeminiServer


@pytest.fixture
def server(stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiServer]:
    with gemini_beside(stores, configure, monkeypatch) as found:
        yield found
