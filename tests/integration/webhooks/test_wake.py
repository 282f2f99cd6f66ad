"""On AWS, requests and events that may change an image put an object. Its notification starts the sending."""

import logging

import pytest
from imageapi.config import settings
from imageapi.errors import DatabaseUnavailableError

from tests.integration.client import send, upload_event
from tests.integration.stores import Configure, Stores, new_id, stopped
from tests.integration.webhooks.calls import send_taken, settle, take
from tests.support import pictures
from tests.support.events import API_KEY, LambdaContext, handle, load_handler, make_event

WAKE = "webhooks/wake"


@pytest.fixture
def aws(stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """The service as a function on AWS, where example values are refused as keys."""
    monkeypatch.setattr(settings, "PLACEHOLDERS", frozenset())
    long = "a-key-of-the-tests-0123456789abcdefghij"
    configure(AWS_LAMBDA_FUNCTION_NAME="upload", WEBHOOKS="true", SECRET_KEY=long)
    configure(API_KEY=f"{API_KEY}-of-the-tests-0123456789", METRICS_NAMESPACE="Tests")
    return stores


KEY = {"X-API-Key": f"{API_KEY}-of-the-tests-0123456789"}


def wakes(stores: Stores) -> bool:
    """Whether there was a wake; removes it."""
    found = stores.keys().count(WAKE) > 0
    stores.client.delete_object(Bucket=stores.s3.bucket, Key=WAKE)
    return found


def test_requests_and_events_that_may_change_images_wake(aws: Stores) -> None:
    image = upload_with_key()
    assert wakes(aws)
    for method, path, body in [
        ("PATCH", f"/api/images/{image}", '{"title": "b"}'),
        ("POST", f"/api/images/{image}/links/revoke", ""),
        ("DELETE", f"/api/images/{image}", ""),
    ]:
        answer = send(make_event(method, path, KEY | {"Content-Type": "application/json"}, body=body))
        assert answer.status < 300, answer.body
        assert wakes(aws), method
    load_handler("SweepFunction")({"compare": False}, LambdaContext())
    assert wakes(aws)


def test_what_only_reads_fails_or_sends_does_not(aws: Stores) -> None:
    """Otherwise, sending would wake itself forever."""
    for method, path in [
        *((method, "/api/images") for method in ("GET", "HEAD", "OPTIONS")),
        *(("DELETE", f"/api/images/{new_id()}"), ("POST", "/api/webhooks"), ("GET", "/health")),
    ]:
        handle(make_event(method, path, KEY))
        assert not wakes(aws), (method, path)
    assert settle(send_taken(take())) == {"settled": 0, "lost": 0}
    assert not wakes(aws)


def test_what_fails_may_have_committed_and_wakes(aws: Stores) -> None:
    body = '{"title": "b"}'
    event = make_event(
        "PATCH", f"/api/images/{new_id()}", KEY | {"Content-Type": "application/json"}, body=body
    )
    with stopped(aws.postgres):
        assert send(event).status == 503
        assert wakes(aws)
        with pytest.raises(DatabaseUnavailableError):
            load_handler("SweepFunction")({"compare": False}, LambdaContext())
        assert wakes(aws)


@pytest.mark.parametrize(
    "variables", [{"WEBHOOKS": None}, {"AWS_SAM_LOCAL": "true"}, {"AWS_LAMBDA_FUNCTION_NAME": None}]
)
def test_only_where_it_starts_something(
    aws: Stores, configure: Configure, variables: dict[str, str | None]
) -> None:
    configure(**variables)
    upload_with_key()
    assert not wakes(aws)


def test_a_request_does_not_fail_with_it(
    aws: Stores, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    webhook = make_event(
        "POST", "/api/webhooks", KEY, body='{"url": "https://93.184.215.14/", "types": ["*"]}'
    )
    configure(MINIO_ENDPOINT_URL="http://127.0.0.1:1")
    with caplog.at_level(logging.WARNING):
        assert send(webhook).status == 201
    assert "webhooks not woken" in caplog.text


def upload_with_key() -> str:
    event = upload_event(pictures.jpeg())
    event["headers"] |= KEY
    answer = send(event)
    assert answer.status == 201, answer.body
    found: str = answer.image["id"]
    return found
