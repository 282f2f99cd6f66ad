"""The settings of a run. The environment overrides .env, and .env overrides .env.example."""

import hmac
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from local.errors import LocalError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ROOT = Path(__file__).resolve().parent.parent
# Passed to every function: some networks need these for requests to the internet.
PASSED_THROUGH = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
)
# If the template gives a function another limit, as for migrations, the settings do not change it.
USUAL_LIMITS = {"DB_CONNECT_TIMEOUT": "5", "DB_STATEMENT_TIMEOUT": "5"}
# Passed to every function if .env or the shell sets them, declared in the template or not.
BOUNDS = (
    *("DB_CONNECT_TIMEOUT", "DB_STATEMENT_TIMEOUT", "LINK_TTL_SECONDS", "MAX_PIXELS", "MAX_UPLOAD_BYTES"),
    *("TRASH_DAYS", "CHANGES_DAYS", "KEY_MAX_DAYS", "WEBHOOK_ALLOW_PRIVATE", "MAINTENANCE"),
)

# Read by boto3. The addresses apply if MINIO_ENDPOINT_URL is empty.
AWS_TOOLS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE")


def read_values(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """All variables. A name without a value in a file is empty."""
    values: dict[str, str] = {}
    for name in (".env.example", ".env"):
        values |= {key: value or "" for key, value in dotenv_values(root / name, interpolate=False).items()}
    return values | dict(environ)


@dataclass(frozen=True)
class Settings:
    """The variables, and values derived from them and the command line. Port 0 selects a free one."""

    values: Mapping[str, str]
    data_dir: Path
    template: Path
    port: int
    db_port: int
    s3_port: int
    workers: int

    def value(self, name: str, default: str = "") -> str:
        return self.values.get(name) or default

    def chosen(self, names: Iterable[str]) -> dict[str, str]:
        """The named variables that are not empty."""
        return {name: self.value(name) for name in names if self.value(name)}

    @property
    def client_key(self) -> str:
        """The key for clients: the first in API_KEY, which contains several during a rotation."""
        return next(iter(_split(self.value("API_KEY"))), "")

    @property
    def unused(self) -> list[str]:
        """A note for each setting that `make run` ignores because it names another machine."""
        lines = []
        if (host := self.value("DB_HOST", "localhost")) not in LOOPBACK_NAMES:
            lines.append(f"DB_HOST={host} is not used: a local run starts a PostgreSQL of its own.")
        url = self.value("MINIO_ENDPOINT_URL", "http://localhost:9000")
        if urlsplit(url).hostname not in LOOPBACK_NAMES:
            lines.append(f"MINIO_ENDPOINT_URL={url} is not used: a local run starts an S3 server of its own.")
        return lines


def make_settings(
    values: Mapping[str, str],
    *,
    data_dir: Path | None = None,
    template: Path | None = None,
    port: int | None = None,
    db_port: int | None = None,
    s3_port: int | None = None,
) -> Settings:
    """Settings from values; arguments override them. Raises LocalError for an invalid port."""
    endpoint = urlsplit(values.get("MINIO_ENDPOINT_URL", ""))
    own_port = str(endpoint.port or "") if endpoint.hostname in LOOPBACK_NAMES else ""
    return Settings(
        values=values,
        data_dir=(data_dir or ROOT / ".data").resolve(),
        template=(template or ROOT / "template.yaml").resolve(),
        port=_number("PORT", values.get("PORT") or "8000") if port is None else port,
        db_port=_number("DB_PORT", values.get("DB_PORT") or "5432") if db_port is None else db_port,
        s3_port=_number("S3_PORT", values.get("S3_PORT") or own_port or "9000")
        if s3_port is None
        else s3_port,
        workers=max(1, _number("WORKERS_PER_FUNCTION", values.get("WORKERS_PER_FUNCTION") or "4")),
    )


def load_settings(
    root: Path = ROOT, environ: Mapping[str, str] = os.environ, **overrides: object
) -> Settings:
    """The settings of this checkout; overrides are passed to make_settings()."""
    return make_settings(read_values(root, environ), **overrides)  # type: ignore[arg-type]


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def page_origins(settings: Settings, port: int) -> list[str]:
    """The origins whose pages may use S3: those of the API on `port`, and CORS_ALLOW_ORIGINS.

    Origins with a * are omitted: S3 would treat it as a wildcard, which the API does not support.
    """
    public = re.match(r"https?://[^/]+", settings.value("PUBLIC_BASE_URL").lower())
    own = [f"http://127.0.0.1:{port}", f"http://localhost:{port}", *([public[0]] if public else [])]
    others = [origin for origin in _split(settings.value("CORS_ALLOW_ORIGINS")) if "*" not in origin]
    return list(dict.fromkeys(own + others))


def placeholders(settings: Settings, root: Path = ROOT) -> list[str]:
    """Which of API_KEY and SECRET_KEY still contain the value of .env.example, which is public."""
    example = dotenv_values(root / ".env.example")
    return [name for name in ("API_KEY", "SECRET_KEY") if example.get(name) in _split(settings.value(name))]


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise LocalError(f"{name}={text} is not a number from 0 to 65535.")
    return int(text)


@dataclass(frozen=True)
class OwnStores:
    """The addresses of a run's servers."""

    db_port: int
    s3_url: str


def find_database_users(resources: Mapping[str, Any], function: str) -> dict[str, str]:
    """The database users whose secrets a template passes to a function, by prefix of their variables.

    MigrateFunction creates ``{"DB_SERVICE": "image_api", "DB_MANAGER": "image_api_manager"}``. The others
    connect as, for example, ``{"POSTGRES": "image_api"}``.
    """
    users = {
        name: json.loads(made["SecretStringTemplate"])["username"]
        for name, resource in resources.items()
        if "SecretStringTemplate" in (made := resource.get("Properties", {}).get("GenerateSecretString", {}))
    }
    variables = resources[function]["Properties"].get("Environment", {}).get("Variables", {})
    return {
        "POSTGRES" if variable == "DATABASE_SECRET_ARN" else variable.removesuffix("_SECRET_ARN"): user
        for variable, value in variables.items()
        for name, user in users.items()
        if name in str(value)
    }


def function_environment(
    settings: Settings,
    declared: Mapping[str, object],
    stores: OwnStores | None,
    users: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A function's variables: those that its template declares, with values from .env and the shell.

    As under `sam local`, these override the template's. With `stores`, the function receives their addresses
    and its own `users` of the database, regardless of the settings; without, it also receives AWS_TOOLS.
    """
    # What only AWS can resolve (such as the ARN of a secret it creates) is empty, as under `sam local`.
    resolved = {
        name: "" if "${" in str(value) or isinstance(value, dict) else value
        for name, value in declared.items()
    }
    found = {name: str(settings.values.get(name, value)) for name, value in resolved.items()}
    if "METRICS_NAMESPACE" in declared:  # off by default
        found["METRICS_NAMESPACE"] = settings.value("METRICS_NAMESPACE")
    if "WEBHOOKS" in declared:  # on by default
        found["WEBHOOKS"] = settings.value("WEBHOOKS", "true")
    if "ANALYSIS" in declared:
        found["ANALYSIS"] = "true" if settings.value("GEMINI_API_KEY") else "false"
    if stores:
        places = {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(stores.db_port),
            "DB_SSLMODE": "disable",
            "MINIO_ENDPOINT_URL": stores.s3_url,
            "MINIO_PUBLIC_ENDPOINT_URL": settings.value("MINIO_PUBLIC_ENDPOINT_URL", stores.s3_url),
        }
        found |= {name: place for name, place in places.items() if name in declared}
        for prefix, user in (users or {}).items():
            found |= {f"{prefix}_USER": user, f"{prefix}_PASSWORD": _user_password(settings, user)}
    else:
        found |= settings.chosen(AWS_TOOLS)
    return found | settings.chosen(BOUNDS) | own_limits(declared) | passed_through(settings.values)


def _user_password(settings: Settings, user: str) -> str:
    """A password that is the same in each run and does not reveal the owner's."""
    return hmac.new(settings.value("POSTGRES_PASSWORD").encode(), user.encode(), "sha256").hexdigest()


def own_limits(declared: Mapping[str, object]) -> dict[str, str]:
    """The limits in a function's template that differ from USUAL_LIMITS."""
    limits = {name: str(declared.get(name, usual)) for name, usual in USUAL_LIMITS.items()}
    return {name: value for name, value in limits.items() if value != USUAL_LIMITS[name]}


def passed_through(values: Mapping[str, str]) -> dict[str, str]:
    """The proxy and certificate variables, with this machine excluded from the proxy."""
    found = {name: values[name] for name in PASSED_THROUGH if values.get(name)}
    if any(name.lower().endswith("_proxy") for name in found):
        direct = [values.get("NO_PROXY") or values.get("no_proxy") or "", "127.0.0.1", "localhost"]
        found["NO_PROXY"] = found["no_proxy"] = ",".join(part for part in direct if part)
    return found
