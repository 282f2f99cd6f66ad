"""The service's settings, for one test."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from imageapi.config.settings import get_settings

from tests import ROOT

OPTIONAL = (
    *("DB_SSLROOTCERT", "MINIO_ENDPOINT_URL", "MINIO_PUBLIC_ENDPOINT_URL", "PUBLIC_BASE_URL"),
    *("CORS_ALLOW_ORIGINS", "MAX_PIXELS", "MAX_UPLOAD_BYTES", "LINK_TTL_SECONDS"),
    *("DB_CONNECT_TIMEOUT", "DB_STATEMENT_TIMEOUT", "TRASH_DAYS", "CHANGES_DAYS", "KEY_MAX_DAYS"),
    *("EDGE", "MAINTENANCE", "WEBHOOKS", "WEBHOOK_ALLOW_PRIVATE", "MANAGE_FUNCTION", "WEBHOOK_QUEUE_URL"),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_SAM_LOCAL"),
)
"""Variables the service also reads; they must not come from the shell that runs the tests."""


def set_environment(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    """Replace all variables that the service reads with these."""
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@contextmanager
def use_settings(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> Iterator[None]:
    """:func:`set_environment`; the service rereads it before and after the block."""
    set_environment(monkeypatch, values)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def documented_variables() -> set[str]:
    """The variables in the tables of docs/configuration.md that the layer reads, not only the local run."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "layers/shared/imageapi").rglob("*.py")
    )
    cells = re.findall(r"^\| (.+?) \|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`([A-Z0-9_]+)`", cell) if f'"{name}"' in code}
