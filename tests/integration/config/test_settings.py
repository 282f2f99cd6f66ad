"""Missing or invalid settings: a 503 that names the variable and never its value."""

import pytest

from tests.integration.client import get, upload
from tests.integration.stores import Configure, Stores
from tests.support import pictures

SECRET = "s3cret-value"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_HOST", None),
        ("DB_HOST", ""),
        ("MINIO_BUCKET_NAME", None),
        ("DB_PORT", SECRET),
        ("DB_PORT", "0"),
        ("DB_STATEMENT_TIMEOUT", SECRET),
        ("MAX_PIXELS", SECRET),
        ("LINK_TTL_SECONDS", "59"),
    ],
)
def test_misconfigured(stores: Stores, configure: Configure, name: str, value: str | None) -> None:
    configure(**{name: value})

    answers = [get("/api/images"), upload(pictures.jpeg()), get("/api/database/status")]

    for answer in answers:
        assert (answer.status, answer.code) == (503, "service_misconfigured")
        assert name in answer.body["error"]["message"]
        assert SECRET not in str(answer.body)
    configure(**{name: stores.environment.get(name)})
    assert stores.is_empty()


@pytest.mark.parametrize("value", [None, "", " , "])
def test_without_a_key_nobody_may_pass(stores: Stores, configure: Configure, value: str | None) -> None:
    configure(API_KEY=value)

    for key in ("your-api-key-here", "", None):
        answer = get("/api/images", key=key)
        assert (answer.status, answer.code) == (503, "api_key_not_configured")
    configure(API_KEY=stores.environment["API_KEY"])


@pytest.mark.parametrize("name", ["API_KEY", "SECRET_KEY", "POSTGRES_PASSWORD", "MINIO_SECRET_KEY"])
def test_placeholders_are_refused_on_aws(stores: Stores, configure: Configure, name: str) -> None:
    placeholders = {
        "API_KEY": "your-api-key-here",
        "SECRET_KEY": "new-key,your-secret-key-here",
        "POSTGRES_PASSWORD": "your_secure_password_123",
        "MINIO_SECRET_KEY": "minioadmin123",
    }
    strong = dict.fromkeys(placeholders, "strong-enough")
    configure(AWS_LAMBDA_FUNCTION_NAME="image-api-list", **strong | {name: placeholders[name]})

    answer = get("/api/images")

    assert (answer.status, answer.code) == (503, "service_misconfigured")
    assert name in answer.body["error"]["message"]
    assert placeholders[name] not in str(answer.body)


def test_several_keys_while_one_is_replaced(stores: Stores, configure: Configure) -> None:
    configure(API_KEY="new-key, old-key")

    for key, status in (("new-key", 200), ("old-key", 200), ("new-key, old-key", 401)):
        assert get("/api/images", key=key).status == status


def test_links_cannot_be_made_without_their_key(stores: Stores, configure: Configure) -> None:
    stores.insert_ready()
    configure(SECRET_KEY="")

    answer = get("/api/images")

    assert (answer.status, answer.code) == (503, "secret_key_not_configured")
