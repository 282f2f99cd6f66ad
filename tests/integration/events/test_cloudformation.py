"""A function as a custom resource always sends CloudFormation a response."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from imageapi.database import db
from imageapi.errors import ConfigurationError, DatabaseUnavailableError
from imageapi.events import cloudformation
from imageapi.events.cloudformation import ANSWER_SECONDS, answer_cloudformation, fingerprint

from tests.integration.stores import Configure
from tests.support.events import LambdaContext
from tests.support.http_server import Handler, serve


class CloudFormation:
    """Receives the responses: ``answers`` contains each one, ``types`` its Content-Type."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.types: list[str | None] = []
        self.url = ""
        self.context: Any = LambdaContext()

    def ask(
        self, work: Callable[[dict[str, Any]], dict[str, Any]], kind: str = "Update", **properties: Any
    ) -> dict[str, Any]:
        """Send an event to a function that does this work; returns its response."""
        event = {
            "RequestType": kind,
            "RequestId": "request",
            "StackId": "stack",
            "LogicalResourceId": "Schema",
            "ResourceProperties": {"Migration": "baseline", **properties},
            "ResponseURL": f"{self.url}/answer?signature=x",
        }
        answer_cloudformation("migrate", work, event, self.context)
        return self.answers[-1]


@pytest.fixture
def stack() -> Iterator[CloudFormation]:
    found = CloudFormation()

    class Bucket(Handler):
        def respond(self) -> None:
            found.answers.append(json.loads(self.read_body()))
            found.types.append(self.headers["Content-Type"])
            self.answer(200)

    with serve(Bucket) as found.url:
        yield found


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_success(stack: CloudFormation, kind: str) -> None:
    work = {"version": 3, "applied": ["a"]}

    assert stack.ask(lambda _: work, kind, ListSettings={"a": "1"}, UploadSettings=[]) == {
        "RequestId": "request",
        "StackId": "stack",
        "LogicalResourceId": "Schema",
        "PhysicalResourceId": "migrate",
        "Status": "SUCCESS",
        "Data": {
            "version": "3",
            "applied": '["a"]',
            "ListSettings": fingerprint({"a": "1"}),
            "UploadSettings": fingerprint([]),
        },
    }
    assert stack.types == [""], "the URL is signed for none"


def test_the_answer_differs_when_the_settings_do(stack: CloudFormation) -> None:
    same = {"Network": ["a", "b"], "Variables": {"API_KEY": "one", "DB_PORT": "1"}}
    reordered = {"Variables": {"DB_PORT": "1", "API_KEY": "one"}, "Network": ["a", "b"]}
    other = {"Network": ["a", "b"], "Variables": {"API_KEY": "two", "DB_PORT": "1"}}

    first, second, third = (
        stack.ask(lambda _: {}, ListSettings=settings)["Data"]["ListSettings"]
        for settings in (same, reordered, other)
    )

    assert first == second != third
    assert len(first) < 256, "a version's description takes no more"


def test_failure_undoes_the_deploy(stack: CloudFormation) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("no such column" + "x" * 5_000)

    answer = stack.ask(fail)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("ValueError: no such column")
    assert len(json.dumps(answer)) < 4_096, "CloudFormation reads no more"


def test_what_may_pass_is_tried_again(stack: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudformation, "PAUSE_SECONDS", 0.01)
    failures = [ConfigurationError("A secret cannot be read."), DatabaseUnavailableError()]

    def work(_: dict[str, Any]) -> dict[str, Any]:
        if failures:
            raise failures.pop(0)
        return {"version": 1}

    assert stack.ask(work, "Create")["Status"] == "SUCCESS"
    assert failures == []

    monkeypatch.setattr(cloudformation, "RETRY_SECONDS", 0.05)

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise DatabaseUnavailableError()

    assert stack.ask(fail, "Create")["Status"] == "FAILED"


def test_an_answer_comes_before_the_functions_time_is_up(stack: CloudFormation, configure: Configure) -> None:
    configure(DB_STATEMENT_TIMEOUT="60")
    stack.context = LambdaContext(time_left=int(ANSWER_SECONDS * 1_000))

    answer = stack.ask(lambda _: db.query("SELECT pg_sleep(50)")[0])

    assert answer["Status"] == "FAILED"
    assert "DatabaseUnavailableError" in answer["Reason"]


def test_deletion_does_nothing(stack: CloudFormation) -> None:
    def never(_: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError

    assert stack.ask(never, "Delete")["Status"] == "SUCCESS"
