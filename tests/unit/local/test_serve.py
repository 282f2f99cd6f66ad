"""Where `python -m local.serve` may listen with the keys of .env.example."""

import pytest

from local.errors import LocalError
from local.serve import refuse_placeholders
from local.settings import make_settings

EXAMPLE = {"API_KEY": "your-api-key-here", "SECRET_KEY": "your-secret-key-here"}
OWN = {"API_KEY": "mine", "SECRET_KEY": "mine"}


@pytest.mark.parametrize(
    ("values", "host"),
    [
        (EXAMPLE, "127.0.0.1"),
        (EXAMPLE, "localhost"),
        (OWN, "0.0.0.0"),
        (EXAMPLE | {"PUBLISHED_ON_LOOPBACK": "true"}, "0.0.0.0"),
    ],
)
def test_accepted(values: dict[str, str], host: str) -> None:
    refuse_placeholders(make_settings(values), host)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, "API_KEY and SECRET_KEY still"),
        ({"API_KEY": "mine"}, ": SECRET_KEY still"),
        (OWN | {"API_KEY": "mine,your-api-key-here"}, ": API_KEY still"),
        ({"PUBLISHED_ON_LOOPBACK": "false"}, "API_KEY"),
        ({"PUBLISHED_ON_LOOPBACK": ""}, "API_KEY"),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_refused_with_the_name_of_the_key(changes: dict[str, str], named: str, host: str) -> None:
    with pytest.raises(LocalError, match=named) as refused:
        refuse_placeholders(make_settings(EXAMPLE | changes), host)
    assert "your-api-key-here" not in str(refused.value)
