"""Settings: every variable, which are required, and which values are refused on AWS."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from imageapi.config import settings as module
from imageapi.config.settings import get_settings, load_settings
from imageapi.database import db
from imageapi.errors import ConfigurationError
from imageapi.sigv4 import Credentials

from tests import ROOT
from tests.support.settings import set_environment

LAMBDA_PAYLOAD_BYTES = 6_291_556
"""The quota "Invocation payload (request and response), synchronous"."""
ON_AWS = {"AWS_LAMBDA_FUNCTION_NAME": "images-list"}
MINIMAL = {
    "DB_HOST": "db.example.com",
    "MINIO_ACCESS_KEY": "an-access-key",
    "MINIO_SECRET_KEY": "a-storage-secret",
    "MINIO_BUCKET_NAME": "pictures",
}


def load(**changes: str) -> Any:
    return load_settings(MINIMAL | changes)


def test_defaults() -> None:
    settings = load()
    assert (settings.db_port, settings.db_name, settings.db_user) == (5432, "imagedb", "postgres")
    assert settings.db_password == ""
    assert (settings.db_sslmode, settings.db_sslrootcert) == ("verify-full", None)
    assert (settings.db_connect_timeout, settings.db_statement_timeout) == (5.0, 5.0)
    assert settings.region == "us-east-1"
    assert settings.s3_endpoint_url is settings.s3_public_endpoint_url is settings.public_base_url is None
    assert settings.api_keys == settings.secret_keys == settings.cors_allow_origins == ()
    assert settings.max_pixels == settings.max_upload_bytes == 100_000_000
    assert settings.link_ttl == 3600


TEXTS = [
    *("DB_HOST", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "DB_SSLROOTCERT", "DATABASE_SERVER"),
    *("AWS_CA_BUNDLE", "AWS_REGION", "AWS_DEFAULT_REGION", "MANAGE_FUNCTION", "WEBHOOK_QUEUE_URL"),
]
NUMBERS = [
    *("DB_PORT", "DB_CONNECT_TIMEOUT", "DB_STATEMENT_TIMEOUT", "MAX_PIXELS", "MAX_UPLOAD_BYTES"),
    *("LINK_TTL_SECONDS", "CHANGES_DAYS", "CHANGES_WAITS", "KEY_MAX_DAYS", "TRASH_DAYS"),
]
FLAGS = ["WEBHOOKS", "WEBHOOK_ALLOW_PRIVATE", "EDGE", "MAINTENANCE"]
RENAMED = {
    **{name: name.replace("POSTGRES", "DB").lower() for name in ("POSTGRES_USER", "POSTGRES_PASSWORD")},
    **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "region"),
    "POSTGRES_DB": "db_name",
    "AWS_CA_BUNDLE": "s3_ca_bundle",
    "LINK_TTL_SECONDS": "link_ttl",
    "EDGE": "uses_edge",
}
"""Variables whose attribute has another name."""


@pytest.mark.parametrize(
    ("variables", "text", "value"),
    [(TEXTS, " a, b ", " a, b "), (NUMBERS, "77", 77), (FLAGS, "true", True), (FLAGS, "false", False)],
)
def test_texts_numbers_and_flags(variables: list[str], text: str, value: Any) -> None:
    for name in variables:
        assert getattr(load(**{name: text}), RENAMED.get(name, name.lower())) == value, name


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("DB_SSLMODE", "require", "db_sslmode", "require"),
        ("MINIO_ENDPOINT_URL", "http://minio:9000", "s3_endpoint_url", "http://minio:9000"),
        ("MINIO_ENDPOINT_URL", "http://minio:9000", "s3_public_endpoint_url", "http://minio:9000"),
        ("MINIO_PUBLIC_ENDPOINT_URL", "http://localhost:9000", "s3_public_endpoint_url", "http://localhost:9000"),
        ("AWS_ENDPOINT_URL", "http://emulator:4566", "s3_endpoint_url", "http://emulator:4566"),
        ("AWS_ENDPOINT_URL_S3", "http://emulator:4566", "s3_public_endpoint_url", "http://emulator:4566"),
        ("MINIO_ACCESS_KEY", "someone-else", "s3_keys", Credentials("someone-else", "a-storage-secret")),
        ("MINIO_SECRET_KEY", "another-secret", "s3_keys", Credentials("an-access-key", "another-secret")),
        ("MINIO_BUCKET_NAME", "photos", "bucket", "photos"),
        ("API_KEY", " one , ,two,", "api_keys", ("one", "two")),
        ("SECRET_KEY", "new,old", "secret_keys", ("new", "old")),
        ("PUBLIC_BASE_URL", "https://img.example.com/", "public_base_url", "https://img.example.com"),
        ("CORS_ALLOW_ORIGINS", "http://a.test, http://b.test", "cors_allow_origins", ("http://a.test", "http://b.test")),
        ("TRASH_DAYS", "0", "trash_days", 0),
    ],
)  # fmt: skip
def test_values_of_other_forms(variable: str, text: str, attribute: str, value: Any) -> None:
    assert getattr(load(**{variable: text}), attribute) == value


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_modes_that_trust_any_certificate_get_none(mode: str) -> None:
    """With certificates, libpq checks them in these modes too."""
    assert load(DB_SSLMODE=mode, DB_SSLROOTCERT="/opt/rds.pem").db_sslrootcert is None


def test_the_nearest_endpoint_counts() -> None:
    aws = {"AWS_ENDPOINT_URL_S3": "http://s3.test", "AWS_ENDPOINT_URL": "http://aws.test"}
    assert load(**aws).s3_endpoint_url == "http://s3.test"
    own = {"MINIO_ENDPOINT_URL": "http://minio:9000", "MINIO_PUBLIC_ENDPOINT_URL": "https://s3.example.com"}
    settings = load(**own, **aws)
    assert [settings.s3_endpoint_url, settings.s3_public_endpoint_url] == [*own.values()]


def test_the_database_is_required_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """OutsideFunction has none."""
    without = load_settings({name: text for name, text in MINIMAL.items() if name != "DB_HOST"})
    monkeypatch.setattr(db, "get_settings", lambda: without)
    with pytest.raises(ConfigurationError, match="DB_HOST is not set"):
        db.query("SELECT 1")


LONG, ROTATED = "x" * 40, ("API_KEY", "SECRET_KEY")
PLACEHOLDER = {
    "API_KEY": "your-api-key-here",
    "SECRET_KEY": "your-secret-key-here",
    "POSTGRES_PASSWORD": "your_secure_password_123",
    "MINIO_SECRET_KEY": "minioadmin123",
}


@pytest.mark.parametrize("variable", NUMBERS)
def test_numbers_are_whole_and_not_negative_and_blank_ones_mean_the_default(variable: str) -> None:
    zero = [] if variable in ("TRASH_DAYS", "KEY_MAX_DAYS") else ["0"]
    for text in ("ten", "1.5", "0x10", "-1", "1e3", *zero):
        with pytest.raises(ConfigurationError) as caught:
            load(**{variable: text})
        assert caught.value.status == 503
        assert caught.value.message.startswith(variable)
        assert not caught.value.message.endswith(text)
    assert load(**{variable: "  "}) == load()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MINIO_BUCKET_NAME", "", "is not set"),
        ("MINIO_SECRET_KEY", "", "is not set"),
        # S3's certificate covers one label.
        ("MINIO_BUCKET_NAME", "pictures.example.com", "must not contain a dot"),
        ("MINIO_BUCKET_NAME", "Pictures", "must be the name of a bucket"),
        ("LINK_TTL_SECONDS", "59", "must be at least 60"),
        ("DB_PORT", "65536", "must be at most 65535"),
        ("KEY_MAX_DAYS", "36501", "must be at most 36500"),
        ("EDGE", "yes", "must be true or false"),
        ("LOG_LEVEL", "LOUD", "must be one of"),
        ("DB_SSLMODE", "verify", "must be one of"),
        ("MINIO_ENDPOINT_URL", "minio:9000", "must be an http or https address"),
    ],
)
def test_other_values_that_are_refused(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} {message}"):
        load(**{variable: value})


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        *((variable, value, "still has the public value") for variable, value in PLACEHOLDER.items()),
        *((name, f"{LONG}, {PLACEHOLDER[name]}", "still has the public value") for name in ROTATED),
        # Each key counts, not the whole value with its commas.
        *(
            (name, value, "has a key of fewer than 32")
            for name in ROTATED
            for value in ("x" * 31, f"a,{LONG}", f"{LONG}, {'y' * 31}")
        ),
    ],
)
def test_aws_refuses_placeholders_and_short_keys(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} {message}") as caught:
        load(**ON_AWS, **{variable: value})
    assert value not in caught.value.message
    for place in ({}, ON_AWS | {"AWS_SAM_LOCAL": "true"}):
        load(**place, **{variable: value})


def test_on_a_server_of_ones_own_the_bucket_is_in_the_path() -> None:
    name = "pictures.example.com"
    assert load(MINIO_BUCKET_NAME=name, MINIO_ENDPOINT_URL="http://minio:9000").bucket == name


def test_s3_needs_keys_only_where_it_is_used() -> None:
    """ListFunction and GalleryFunction get none. The role's keys must not go to a self-hosted server."""
    role = {"AWS_ACCESS_KEY_ID": "role", "AWS_SECRET_ACCESS_KEY": "role"}
    assert load(**role, MINIO_ACCESS_KEY="").s3_credentials.access_key == "role"
    for env in ({}, role | {"MINIO_ENDPOINT_URL": "http://minio:9000"}):
        settings = load(**env, MINIO_ACCESS_KEY="")
        with pytest.raises(ConfigurationError, match="MINIO_ACCESS_KEY is not set"):
            _ = settings.s3_credentials


def test_placeholders_are_those_of_the_example() -> None:
    """A new secret in .env.example must also be refused on AWS."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert {name: example[name] for name in PLACEHOLDER} == PLACEHOLDER
    assert frozenset(PLACEHOLDER.values()) == module.PLACEHOLDERS
    assert load_settings(example).bucket == "images"


def test_secrets_are_not_in_repr_and_settings_are_frozen() -> None:
    names = ("POSTGRES_PASSWORD", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "API_KEY", "SECRET_KEY")
    settings = load(**dict.fromkeys((*names, "ORIGIN_VERIFY", "GEMINI_API_KEY"), "hidden"))
    assert "hidden" not in repr(settings)
    assert "db.example.com" in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.db_host = "elsewhere"


def test_settings_are_read_once_and_a_failed_read_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, MINIMAL | {"MINIO_BUCKET_NAME": ""})
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError):
        get_settings()
    monkeypatch.setenv("MINIO_BUCKET_NAME", "here")
    first = get_settings()
    monkeypatch.setenv("MINIO_BUCKET_NAME", "elsewhere")
    assert get_settings() is first
    get_settings.cache_clear()
    assert get_settings().bucket == "elsewhere"
    get_settings.cache_clear()


def test_a_direct_upload_fits_into_a_lambda_event() -> None:
    """Base64 takes 4 characters for 3 bytes, plus room for the rest of the event."""
    assert (module.MAX_MULTIPART_BYTES + 2) // 3 * 4 + 100_000 < LAMBDA_PAYLOAD_BYTES
    assert module.MAX_DIRECT_FILE_BYTES + 100_000 < module.MAX_MULTIPART_BYTES


def test_only_functions_on_aws_wake_the_webhooks() -> None:
    on_aws = ON_AWS | {
        "API_KEY": "x" * 32,
        "SECRET_KEY": f"{'x' * 32},{'y' * 32}",
        "POSTGRES_PASSWORD": "p-1",
    }
    assert load(**on_aws, WEBHOOKS="true").wakes_webhooks
    assert not load(WEBHOOKS="true").wakes_webhooks
    assert not load(**on_aws, WEBHOOKS="true", AWS_SAM_LOCAL="true").wakes_webhooks
    assert not load(**on_aws).wakes_webhooks
