"""Keys and the database's password from Secrets Manager: read, rotated, refused, and missing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.config import secrets_client, settings
from imageapi.config.secrets_client import NOT_THERE
from imageapi.database import db

from tests.integration.analyses import analyze, gemini_beside
from tests.integration.client import get, upload
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.aws import emulate_aws, make_client
from tests.support.gemini_server import KEY
from tests.support.http_server import Handler, serve

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of Secrets Manager."""
    with emulate_aws() as url:
        yield url


@pytest.fixture
def manager(endpoint: str) -> Iterator[Any]:
    """A client; secrets that a test creates are removed."""
    client = make_client("secretsmanager", endpoint)
    yield client
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


@pytest.fixture
def keys(stores: Stores, configure: Configure, manager: Any, endpoint: str) -> dict[str, str]:
    """The ARNs of secrets with all keys and passwords. The environment does not contain their values."""
    password = {"username": stores.postgres.user, "password": stores.postgres.password}
    values = {
        "API_KEY_SECRET_ARN": "first-api-key",
        "SECRET_KEY_SECRET_ARN": "first-signing-key",
        "DATABASE_SECRET_ARN": json.dumps(password),
    }
    arns = {
        name: str(manager.create_secret(Name=name.lower(), SecretString=value)["ARN"])
        for name, value in values.items()
    }
    outright = dict.fromkeys(("API_KEY", "SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_USER"))
    configure(**arns, **outright, **CREDENTIALS, AWS_ENDPOINT_URL=endpoint)
    return arns


def put(manager: Any, arn: str, value: str | dict[str, Any]) -> None:
    manager.put_secret_value(
        SecretId=arn, SecretString=value if isinstance(value, str) else json.dumps(value)
    )


def list_with(key: str) -> int:
    return get("/api/images", key=key).status


def test_a_request_with_nothing_secret_in_the_environment(keys: dict[str, str], stores: Stores) -> None:
    stores.insert_ready()

    answer = get("/api/images", key="first-api-key")

    assert (answer.status, len(answer.body["images"])) == (200, 1)
    assert settings.get_settings().secret_keys == ("first-signing-key",)
    assert list_with("wrong") == 401


def test_the_whole_address_of_the_database_may_be_in_its_secret(
    keys: dict[str, str], stores: Stores, manager: Any, configure: Configure
) -> None:
    server = stores.postgres
    secret = {"username": server.user, "password": server.password, "host": server.host, "port": server.port}
    more = {"dbname": server.database, "sslmode": "disable", "engine": "postgres"}
    put(manager, keys["DATABASE_SECRET_ARN"], secret | more)
    configure(DB_HOST="elsewhere.invalid", DB_PORT="1", POSTGRES_DB="other", DB_SSLMODE=None)

    assert list_with("first-api-key") == 200
    verified = {"sslmode": "verify-full", "sslrootcert": "/opt/python/imageapi/rds/eu-central-1.pem"}
    put(manager, keys["DATABASE_SECRET_ARN"], secret | verified)
    assert settings.refresh_settings(0.0)
    assert settings.get_settings().db_sslrootcert == verified["sslrootcert"]


def test_rotation_without_a_deploy(
    keys: dict[str, str], manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list_with("first-api-key") == 200

    put(manager, keys["API_KEY_SECRET_ARN"], "second-api-key")

    # The service read the secrets less than a minute ago, so it does not read them again for wrong keys.
    with monkeypatch.context() as patch:
        patch.setattr(secrets_client, "fetch_secrets", lambda *_: pytest.fail("they were read"))
        assert [list_with("second-api-key") for _ in range(3)] == [401] * 3
    with monkeypatch.context() as patch:
        patch.setattr("imageapi.http.app.REFUSED_MAX_AGE", 0.0)
        assert list_with("second-api-key") == 200
        assert list_with("first-api-key") == 200, "the old key still counts"
        patch.setattr(secrets_client, "OVERLAP_SECONDS", -1)
        assert list_with("wrong") == 401
        assert list_with("second-api-key") == 200
        assert list_with("first-api-key") == 401, "the old key has had its time"

    put(manager, keys["API_KEY_SECRET_ARN"], "third-api-key")
    monkeypatch.setattr("imageapi.http.app.SECRETS_MAX_AGE", 0.0)
    assert list_with("third-api-key") == 200


def test_a_new_environment_knows_both_keys_each_whole(
    keys: dict[str, str], manager: Any, configure: Configure
) -> None:
    put(manager, keys["SECRET_KEY_SECRET_ARN"], "a,b c")
    configure()

    assert settings.get_settings().secret_keys == ("a,b c", "first-signing-key")


def test_a_store_that_is_gone_leaves_what_is_known(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert list_with("first-api-key") == 200
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("imageapi.http.app.SECRETS_MAX_AGE", 0.0)

    assert list_with("first-api-key") == 200
    (warning,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert warning.message == "secrets not renewed"
    assert "ConnectionRefusedError" in caplog.text


def test_a_new_password_of_the_database(
    stores: Stores, keys: dict[str, str], manager: Any, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_to(password: str) -> None:
        stores.execute(f"ALTER ROLE rotating PASSWORD '{password}'")
        put(manager, keys["DATABASE_SECRET_ARN"], {"username": "rotating", "password": password})
        db.close()

    stores.execute("CREATE ROLE rotating LOGIN SUPERUSER")
    try:
        change_to("first-password")
        configure()
        assert list_with("first-api-key") == 200
        change_to("second-password")
        assert list_with("first-api-key") == 503, "read a moment ago: not again"
        monkeypatch.setattr(db, "PASSWORD_MAX_AGE", 0.0)
        assert list_with("first-api-key") == 200
    finally:
        db.close()
        stores.execute("DROP ROLE rotating")


@pytest.mark.parametrize(
    ("secrets", "variables", "message"),
    [
        ({"API_KEY_SECRET_ARN": "your-api-key-here"}, {}, "API_KEY still has the public value"),
        ({"DATABASE_SECRET_ARN": {"username": "postgres"}}, {}, "must be JSON with username and password"),
        ({"DATABASE_SECRET_ARN": "not JSON"}, {}, "must be JSON with username and password"),
        ({}, {"API_KEY_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:1:secret:none"}, NOT_THERE),
        ({}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "ConnectionRefusedError"),
    ],
    ids=["placeholder", "no password", "no JSON", "not there", "no answer"],
)
def test_secrets_that_cannot_be_used(
    keys: dict[str, str],
    manager: Any,
    configure: Configure,
    secrets: dict[str, Any],
    variables: dict[str, str],
    message: str,
) -> None:
    for name, value in secrets.items():
        put(manager, keys[name], value)
    on_aws = {"AWS_LAMBDA_FUNCTION_NAME": "image-api-list", "MINIO_SECRET_KEY": "strong"}
    configure(**on_aws | variables, METRICS_NAMESPACE=None)

    answer = get("/api/images", key="your-api-key-here")

    assert answer.error == (503, "service_misconfigured")
    assert message in answer.body["error"]["message"]


def test_a_first_read_that_fails_lets_nobody_go_past_cloudfront(stores: Stores, configure: Configure) -> None:
    statuses = iter([503])

    class Manager(Handler):
        def respond(self) -> None:
            self.read_body()
            found = {"SecretString": "of CloudFront", "CreatedDate": 0}
            self.answer(next(statuses, 200), json.dumps(found).encode())

    assert get("/docs", key=None).status == 200  # the log also reads the settings
    with serve(Manager) as url:
        configure(ORIGIN_VERIFY_SECRET_ARN="arn", **CREDENTIALS, AWS_ENDPOINT_URL=url)

        assert get("/docs", key=None).error == (503, "service_misconfigured")
        assert get("/docs", key=None).error == (403, "edge_bypassed")


def test_what_is_set_outright_wins(keys: dict[str, str], configure: Configure) -> None:
    configure(API_KEY="outright")

    assert list_with("outright") == 200
    assert list_with("first-api-key") == 401


def test_the_key_for_gemini_can_be_replaced_without_a_deploy(
    manager: Any, endpoint: str, stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = str(manager.create_secret(Name="gemini", SecretString="one that was revoked")["ARN"])
    image_id = upload(pictures.jpeg()).image["id"]
    with gemini_beside(stores, configure, monkeypatch) as gemini:
        outright = {"GEMINI_API_KEY": None, "AWS_ENDPOINT_URL": endpoint, **CREDENTIALS}
        configure(**outright, GEMINI_API_KEY_SECRET_ARN=arn)
        assert analyze(image_id).error == (503, "service_misconfigured")

        put(manager, arn, KEY)
        assert settings.refresh_settings(0.0)
        assert analyze(image_id).status == 200

    assert [request.headers["x-goog-api-key"] for request in gemini.requests][-1] == KEY
