"""The routes of webhooks: what they answer, and refuse."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.calls import ask, create, get, take
from tests.support.events import as_manager
from tests.unit.webhook_sender.test_addresses import answer_lookups

URL = "https://93.184.215.14/hook"
UNKNOWN = "0197f2c4-1111-7000-8000-000000000000"


def post(**values: Any) -> Any:
    return ask("POST", body=json.dumps({"url": URL, "types": ["*"]} | values))


def test_the_secret_is_shown_once(service: Stores) -> None:
    webhook = create(URL, "image.deleted", "image.uploaded", "image.deleted")
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook == {
        "id": webhook["id"],
        "url": URL,
        "types": ["image.uploaded", "image.deleted"],
        "created_by": "root",
        "created_at": webhook["created_at"],
        "state": "active",
        "pause_reason": None,
        "failing_since": None,
        "next_attempt_at": None,
        "results": [],
    }
    another = create(URL)
    another.pop("secret")
    assert get(webhook) == webhook
    assert ask("GET").body == {"webhooks": [another, webhook]}
    assert ask("DELETE", f"/{webhook['id'].upper()}").status == 204
    assert ask("GET").body == {"webhooks": [another]}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/resume"), ("POST", "/secret/rotate")],
)
@pytest.mark.parametrize("webhook_id", [UNKNOWN, "none"])
def test_unknown_webhooks(service: Stores, method: str, path: str, webhook_id: str) -> None:
    answer = ask(method, f"/{webhook_id}{path}")
    assert (answer.status, answer.code) == (404, "webhook_not_found")


def test_the_query_of_the_url_is_sent_and_not_shown(service: Stores) -> None:
    created = create(f"{URL}?token=a&b")
    shown = [created, get(created), *ask("GET").body["webhooks"]]
    shown += [ask("POST", f"/{created['id']}{path}").body["data"] for path in ("/test", "/secret/rotate")]
    assert {webhook["url"] for webhook in shown} == {f"{URL}?…"}
    assert take()[0]["url"] == f"{URL}?token=a&b"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": None}, "url"),
        ({"url": 7}, "url"),
        ({"url": "ftp://93.184.215.14/"}, "url"),
        ({"url": "https://user:pass@93.184.215.14/"}, "url"),
        ({"url": "https://93.184.215.14/#a"}, "url"),
        ({"url": "https://93.184.215.14/" + "a" * 2000}, "url"),
        ({"url": "https://\ud800.example/"}, "url"),
        ({"types": None}, "types"),
        ({"types": []}, "types"),
        ({"types": "*"}, "types"),
        ({"types": ["image.eaten"]}, "types"),
        ({"types": [["*"]]}, "types"),
        ({"types": [None]}, "types"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_invalid_webhooks(service: Stores, values: dict[str, Any], field: str) -> None:
    answer = post(**values)
    assert (answer.status, answer.code) == (422, "webhook_invalid")
    assert answer.body["error"]["details"]["field"] == field
    assert service.execute("SELECT * FROM webhooks") == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://169.254.169.254/latest/meta-data/", "https://127.0.0.1/", "https://localhost/"),
        *("https://10.0.0.1:8443/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/"),
        *("https://[::ffff:169.254.169.254]/", "https://[fd00:ec2::254]/", "https://[64:ff9b::a9fe:a9fe]/"),
    ],
)
def test_private_addresses(service: Stores, configure: Configure, url: str) -> None:
    configure(WEBHOOK_ALLOW_PRIVATE=None)
    answer = post(url=url)
    assert (answer.status, answer.code) == (422, "webhook_address_private")
    assert service.execute("SELECT * FROM webhooks") == []


def test_http_needs_the_permission(service: Stores, configure: Configure) -> None:
    assert post(url="http://127.0.0.1/").status == 201
    configure(WEBHOOK_ALLOW_PRIVATE=None)
    for url in ("http://169.254.169.254/", "http://93.184.215.14/"):
        answer = post(url=url)
        assert (answer.status, answer.code) == (422, "webhook_invalid")


@pytest.fixture
def manager(service: Stores) -> Iterator[None]:
    """One connection for all requests of a test."""
    with as_manager():
        yield


@pytest.mark.usefixtures("manager")
def test_names(service: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(WEBHOOK_ALLOW_PRIVATE=None)
    configure(DB_HOST=service.postgres.host)
    assert post().status == 201  # the connection to the database is open
    answer_lookups(monkeypatch, ["127.0.0.1"])
    assert post(url="https://inside.example/").code == "webhook_address_private"
    answer_lookups(monkeypatch, ["93.184.215.14"])
    assert post(url="https://outside.example/").status == 201

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = post(url="https://unknown.example/")
    assert (answer.code, answer.body["error"]["details"]["field"]) == ("webhook_invalid", "url")


def test_at_most_20(service: Stores) -> None:
    for _ in range(20):
        create(URL)
    answer = post()
    assert (answer.status, answer.code) == (409, "too_many_webhooks")
    ask("DELETE", f"/{ask('GET').body['webhooks'][3]['id']}")
    assert post().status == 201


def test_where_nothing_sends(service: Stores, configure: Configure) -> None:
    configure(WEBHOOKS=None)
    answer = post()
    assert (answer.status, answer.code) == (501, "webhooks_not_configured")
    assert ask("GET").body == {"webhooks": []}


def test_unknown_parameters_are_refused(service: Stores) -> None:
    from tests.integration.client import send
    from tests.support.events import API_KEY, make_event

    webhook = create(URL)
    path = f"/api/webhooks/{webhook['id']}"
    for method, place in [
        ("GET", "/api/webhooks"),
        ("POST", "/api/webhooks"),
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/resume"),
        ("POST", f"{path}/secret/rotate"),
    ]:
        answer = send(make_event(method, place, {"X-API-Key": API_KEY}, {"a": "b"}))
        assert (answer.status, answer.code) == (400, "parameter_unknown"), (method, place)
