"""The settings, read once from the environment. Nothing else reads ``os.environ``."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from imageapi.config import secrets_client
from imageapi.config.aws_access import read_endpoint, read_region, read_s3_credentials
from imageapi.config.environment import read_bool, read_int, read_matching, read_url, require, split
from imageapi.config.secrets import KEYS, make_access, read_secrets
from imageapi.errors import ConfigurationError
from imageapi.sigv4 import Credentials

SERVICE = "image-api"
"""The name of the logger."""

PLACEHOLDERS = frozenset(
    {"your-api-key-here", "your-secret-key-here", "your_secure_password_123", "minioadmin123"}
)
"""The values of .env.example, which are rejected on AWS."""

LOG_LEVELS = "DEBUG|INFO|WARNING|ERROR|CRITICAL"
SSL_MODES = "disable|allow|prefer|require|verify-ca|verify-full"
BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

MIN_KEY_LENGTH = 32
"""Of API_KEY and SECRET_KEY on AWS. One link is enough to guess a short signing key offline."""

MAX_MULTIPART_BYTES = 4_600_000
"""The largest multipart body. Base64 adds a third, and Lambda's limit for the whole event is 6 MB."""

MAX_DIRECT_FILE_BYTES = 4_400_000
"""The largest file in a direct upload. The rest of the body is for metadata and headers."""


_secret_cache = secrets_client.SecretCache()


@dataclass(frozen=True)
class Settings:
    """All settings. ``repr`` omits the secrets."""

    db_host: str
    """Empty for functions without a database."""
    db_port: int
    db_name: str
    db_user: str
    db_password: str = field(repr=False)
    db_service: tuple[str, str] | None = field(repr=False)
    """User and password that MigrateFunction creates for other functions; None if they share its own."""
    db_manager: tuple[str, str] | None = field(repr=False)
    """The same for ManageFunction."""
    database_server: str | None
    """The id of the database server, which a restore replaces; None uses the id that PostgreSQL reports."""
    db_sslmode: str
    db_sslrootcert: str | None
    """The trusted certificates; None in modes that trust all: libpq would check a given file in any mode."""
    db_connect_timeout: float
    """Seconds to wait for a new connection."""
    db_statement_timeout: float
    """Seconds for one statement."""
    s3_endpoint_url: str | None
    """None for AWS itself."""
    s3_public_endpoint_url: str | None
    """The server's address for browsers, with which presigned URLs begin."""
    s3_ca_bundle: str | None
    """A CA file; None for botocore's own certificates (for puts, the system's)."""
    s3_keys: Credentials
    """Empty if none are set. The role's keys include a session token, and expire together with signatures."""
    bucket: str
    region: str
    api_keys: tuple[str, ...] = field(repr=False)
    """Root keys."""
    secret_keys: tuple[str, ...] = field(repr=False)
    """Signing keys: the first signs, all verify."""
    origin_secrets: tuple[str, ...] = field(repr=False)
    """Values of X-Origin-Verify from CloudFront; empty without it."""
    uses_edge: bool
    """Whether CloudFront caches variants. Unlike the secret, it is set for every function."""
    public_base_url: str | None
    cors_allow_origins: tuple[str, ...]
    max_pixels: int
    """The largest image, in pixels; see ``pixel_limits.pixel_limit`` for the limit of each format."""
    max_upload_bytes: int
    """The largest file of a registered upload, in bytes."""
    link_ttl: int
    """Minimum lifetime of a link, in seconds. The maximum is 1.5 times as long."""
    log_level: str
    metrics_namespace: str | None
    """CloudWatch namespace of the metrics; None for no metrics."""
    analysis: bool
    """Whether analysis is enabled. It is set only for HealthFunction, which lacks Gemini's key."""
    gemini_api_key: str = field(repr=False)
    """Empty if analysis is disabled."""
    gemini_base_url: str | None
    """None for Google itself."""
    gemini_model: str
    analysis_language: str
    """The English name of the language of captions and tags."""
    analysis_daily_budget: int
    """Images per day (UTC) that may be sent to Gemini."""
    analyze_uploads: bool
    """Whether every new image is analyzed."""
    analysis_queue_url: str | None
    """The SQS queue that starts AnalyzeFunction; None if the local runner polls the table."""
    trash_days: int
    """Days for which a deleted image stays in the trash; 0 disables the trash."""
    changes_days: int
    """Days for which the feed keeps a change."""
    changes_waits: int
    """Maximum number of requests that wait for changes at the same time."""
    key_max_days: int
    """The longest lifetime of a new API key, in days; 0 for no limit."""
    webhooks: bool
    """Whether webhooks are enabled. OutsideFunction sends deliveries; locally the runner calls it."""
    wakes_webhooks: bool
    """Whether a change must start the sending; False if the runner polls."""
    manage_function: str | None
    """ManageFunction's name, only for OutsideFunction."""
    webhook_queue_url: str | None
    """The SQS queue that starts OutsideFunction, only for that function."""
    webhook_allow_private: bool
    """Whether webhooks may use http and addresses that are not public."""
    distribution_id: str | None
    """The CloudFront distribution, only for OutsideFunction."""
    maintenance: bool
    """Whether the functions reject all work that could write."""

    @property
    def s3_credentials(self) -> Credentials:
        """For signing requests to S3.

        Raises:
            ConfigurationError: none are set, as for functions that do not use S3.
        """
        if not self.s3_keys.access_key:
            raise ConfigurationError("MINIO_ACCESS_KEY is not set. S3 requires credentials.")
        return self.s3_keys


def _is_on_aws(env: Mapping[str, str]) -> bool:
    return bool(env.get("AWS_LAMBDA_FUNCTION_NAME")) and not env.get("AWS_SAM_LOCAL")


def _refuse_weak_secrets(env: Mapping[str, str], keys: Mapping[str, Sequence[str]]) -> None:
    """On AWS, reject the public values of .env.example, and short keys."""
    if not _is_on_aws(env):
        return
    passwords = {name: [env.get(name, "")] for name in ("POSTGRES_PASSWORD", "MINIO_SECRET_KEY")}
    for name, values in {**keys, **passwords}.items():
        if PLACEHOLDERS.intersection(values):
            raise ConfigurationError(
                f"{name} still has the public value of .env.example. Set a secret value."
            )
    for name in ("API_KEY", "SECRET_KEY"):
        if any(len(key) < MIN_KEY_LENGTH for key in keys[name]):
            raise ConfigurationError(
                f"{name} has a key of fewer than {MIN_KEY_LENGTH} characters. Set a longer one."
            )


def _read_bucket(env: Mapping[str, str], endpoint_url: str | None) -> str:
    name = require(env, "MINIO_BUCKET_NAME")
    if "." in name and not endpoint_url:
        raise ConfigurationError("MINIO_BUCKET_NAME must not contain a dot.")
    return read_matching(env, "MINIO_BUCKET_NAME", name, BUCKET_NAME, "the name of a bucket")


def _read_login(env: Mapping[str, str], user: str, password: str) -> tuple[str, str] | None:
    return (env[user], env.get(password, "")) if env.get(user) else None


def _read_log_level(env: Mapping[str, str]) -> str:
    pattern = f"(?i:{LOG_LEVELS})"
    return read_matching(env, "LOG_LEVEL", "INFO", pattern, f"one of {LOG_LEVELS}").upper()


def load_settings(env: Mapping[str, str], cache: secrets_client.SecretCache | None = None) -> Settings:
    """Read the settings from a mapping. ``cache`` holds the secrets that were read before.

    Raises:
        ConfigurationError: a variable is missing or unusable; the message names it.
    """
    database, secret_keys = read_secrets(env, cache or secrets_client.SecretCache())
    env = {**env, **database}
    keys = {name: split(env.get(name, "")) for name in KEYS} | secret_keys
    _refuse_weak_secrets(env, keys)
    endpoint_url = read_endpoint(env, "MINIO_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
    sslmode = read_matching(env, "DB_SSLMODE", "verify-full", SSL_MODES, f"one of {SSL_MODES}")
    return Settings(
        db_host=env.get("DB_HOST", ""),
        db_port=read_int(env, "DB_PORT", 5432, maximum=65_535),
        db_name=env.get("POSTGRES_DB") or "imagedb",
        db_user=env.get("POSTGRES_USER") or "postgres",
        db_password=env.get("POSTGRES_PASSWORD", ""),
        db_service=_read_login(env, "DB_SERVICE_USER", "DB_SERVICE_PASSWORD"),
        db_manager=_read_login(env, "DB_MANAGER_USER", "DB_MANAGER_PASSWORD"),
        database_server=env.get("DATABASE_SERVER") or None,
        db_sslmode=sslmode,
        db_sslrootcert=(env.get("DB_SSLROOTCERT") or None) if sslmode.startswith("verify") else None,
        db_connect_timeout=float(read_int(env, "DB_CONNECT_TIMEOUT", 5)),
        db_statement_timeout=float(read_int(env, "DB_STATEMENT_TIMEOUT", 5)),
        s3_endpoint_url=endpoint_url,
        s3_public_endpoint_url=read_url(env, "MINIO_PUBLIC_ENDPOINT_URL") or endpoint_url,
        s3_ca_bundle=env.get("AWS_CA_BUNDLE") or None,
        s3_keys=read_s3_credentials(env),
        bucket=_read_bucket(env, endpoint_url),
        region=read_region(env),
        api_keys=keys["API_KEY"],
        secret_keys=keys["SECRET_KEY"],
        origin_secrets=keys["ORIGIN_VERIFY"],
        uses_edge=read_bool(env, "EDGE"),
        public_base_url=env.get("PUBLIC_BASE_URL", "").rstrip("/") or None,
        cors_allow_origins=split(env.get("CORS_ALLOW_ORIGINS", "")),
        max_pixels=read_int(env, "MAX_PIXELS", 100_000_000),
        max_upload_bytes=read_int(env, "MAX_UPLOAD_BYTES", 100_000_000),
        link_ttl=read_int(env, "LINK_TTL_SECONDS", 3600, minimum=60),
        metrics_namespace=env.get("METRICS_NAMESPACE") or ("ImageApi" if _is_on_aws(env) else None),
        log_level=_read_log_level(env),
        analysis=read_bool(env, "ANALYSIS"),
        gemini_api_key=next(iter(keys["GEMINI_API_KEY"]), ""),
        gemini_base_url=env.get("GEMINI_BASE_URL", "").rstrip("/") or None,
        gemini_model=env.get("GEMINI_MODEL") or "gemini-3.5-flash-lite",
        analysis_language=env.get("ANALYSIS_LANGUAGE") or "English",
        analysis_daily_budget=read_int(env, "ANALYSIS_DAILY_BUDGET", 200),
        analyze_uploads=read_bool(env, "ANALYZE_UPLOADS"),
        analysis_queue_url=env.get("ANALYSIS_QUEUE_URL") or None,
        trash_days=read_int(env, "TRASH_DAYS", 30, minimum=0),
        changes_days=read_int(env, "CHANGES_DAYS", 400),
        changes_waits=read_int(env, "CHANGES_WAITS", 5),
        key_max_days=read_int(env, "KEY_MAX_DAYS", 0, minimum=0, maximum=36_500),
        webhooks=read_bool(env, "WEBHOOKS"),
        wakes_webhooks=read_bool(env, "WEBHOOKS") and _is_on_aws(env),
        manage_function=env.get("MANAGE_FUNCTION") or None,
        webhook_queue_url=env.get("WEBHOOK_QUEUE_URL") or None,
        webhook_allow_private=read_bool(env, "WEBHOOK_ALLOW_PRIVATE"),
        distribution_id=env.get("DISTRIBUTION_ID") or None,
        maintenance=read_bool(env, "MAINTENANCE"),
    )


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read at first use. Tests call ``get_settings.cache_clear()``."""
    return load_settings(os.environ, _secret_cache)


def library_path() -> dict[str, str]:
    """The only variable that a process without secrets needs: where Lambda's Python finds its libraries."""
    return {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}


def refresh_settings(max_age: float) -> bool:
    """Read the secrets again if they were read more than ``max_age`` seconds ago.

    Returns:
        Whether any has changed; :func:`get_settings` then returns the new ones. If a read fails, it is logged
        and the old secrets stay.
    """
    try:
        changed = _secret_cache.renew(lambda: make_access(os.environ), max_age)
    except (ConfigurationError, secrets_client.SecretError):
        # The logger of telemetry.logs, which cannot be imported here because it imports this module.
        logging.getLogger(SERVICE).warning("secrets not renewed", exc_info=True)
        return False
    if changed:
        get_settings.cache_clear()
    return changed
