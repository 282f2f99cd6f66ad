"""API keys: compared in constant time; without a configured key every request is refused. Pure."""

import hmac
from collections.abc import Sequence

from imageapi.errors import ConfigurationError, UnauthorizedError


def check_api_key(presented: str | None, accepted: Sequence[str]) -> None:
    """Let the request pass when ``presented`` is one of the ``accepted`` keys.

    All accepted keys are compared, each in constant time, so neither timing nor response reveals which part
    of a key is right.

    Raises:
        ConfigurationError: no key is configured.
        UnauthorizedError: no key, or a wrong one.
    """
    if not accepted:
        raise ConfigurationError("API_KEY is not set on the server.", code="api_key_not_configured")
    if not presented:
        raise UnauthorizedError("Send the API key in the header X-API-Key.", code="api_key_missing")
    sent = presented.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(sent, key.encode("utf-8", "surrogatepass")) for key in accepted]
    if not any(matches):
        raise UnauthorizedError("This API key is not valid.", code="api_key_invalid")
