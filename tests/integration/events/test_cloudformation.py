"""A function as a custom resource: CloudFormation always gets a response."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.database import db
from imageapi.errors import ConfigurationError, DatabaseUnavailableError
from imageapi.events import cloudformation
from imageapi.events.cloudformation import ANSWER_SECONDS, answer_cloudformation, fingerprint

from tests.integration.stores import Configure
from tests.support.events import LambdaContext
from tests.support.http_server import Handler, serve

CONTEXT: Any = LambdaContext()


class CloudFormation:
    """Receives the responses: ``answers`` has each one, ``types`` its Content-Type."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.types: list[str | None] = []
        self.url = ""

    def event(self, kind: str, **properties: Any) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "RequestId": "request",
            "StackId": "stack",
            "LogicalResourceId": "Schema",
            "ResourceProperties": {"Migration": "baseline", **properties},
            "ResponseURL": f"{self.url}/answer?signature=x",
        }


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
    event = stack.event(kind, ListSettings={"a": "1"}, UploadSettings=[])
    answer_cloudformation("migrate", lambda _: {"version": 3, "applied": ["a"]}, event, CONTEXT)

    assert stack.answers == [
        {
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
    ]
    assert stack.types == [""], "the URL is signed for none"


def test_the_answer_differs_when_the_settings_do(stack: CloudFormation) -> None:
    same = {"Network": ["a", "b"], "Variables": {"API_KEY": "one", "DB_PORT": "1"}}
    reordered = {"Variables": {"DB_PORT": "1", "API_KEY": "one"}, "Network": ["a", "b"]}
    other = {"Network": ["a", "b"], "Variables": {"API_KEY": "two", "DB_PORT": "1"}}

    for settings in (same, reordered, other):
        event = stack.event("Update", ListSettings=settings)
        answer_cloudformation("migrate", lambda _: {"version": 3}, event, CONTEXT)

    first, second, third = (answer["Data"]["ListSettings"] for answer in stack.answers)
    assert first == second != third
    assert len(first) < 256, "a version's description takes no more"


def test_failure_undoes_the_deploy(stack: CloudFormation) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("no such column" + "x" * 5_000)

    answer_cloudformation("migrate", fail, stack.event("Update"), CONTEXT)

    assert stack.answers[0]["Status"] == "FAILED"
    assert stack.answers[0]["Reason"].startswith("ValueError: no such column")
    assert len(json.dumps(stack.answers[0])) < 4_096, "CloudFormation reads no more"


def test_what_may_pass_is_tried_again(stack: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudformation, "PAUSE_SECONDS", 0.01)
    answers: list[Any] = [
        ConfigurationError("A secret cannot be read."),
        DatabaseUnavailableError(),
        {"version": 1},
    ]

    def work(_: dict[str, Any]) -> dict[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    answer_cloudformation("migrate", work, stack.event("Create"), CONTEXT)

    assert stack.answers[0]["Status"] == "SUCCESS"
    assert answers == []


def test_what_does_not_pass_undoes_the_deploy(stack: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudformation, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cloudformation, "RETRY_SECONDS", 0.05)

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise DatabaseUnavailableError()

    answer_cloudformation("migrate", fail, stack.event("Create"), CONTEXT)

    assert stack.answers[0]["Status"] == "FAILED"


def test_an_answer_comes_before_the_functions_time_is_up(stack: CloudFormation, configure: Configure) -> None:
    configure(DB_STATEMENT_TIMEOUT="60")
    nearly_over: Any = LambdaContext(time_left=int(ANSWER_SECONDS * 1_000))

    def work(_: dict[str, Any]) -> dict[str, Any]:
        return db.query("SELECT pg_sleep(50)")[0]

    answer_cloudformation("migrate", work, stack.event("Update"), nearly_over)

    assert stack.answers[0]["Status"] == "FAILED"
    assert "DatabaseUnavailableError" in stack.answers[0]["Reason"]


def test_deletion_does_nothing(stack: CloudFormation) -> None:
    def never(_: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError

    answer_cloudformation("migrate", never, stack.event("Delete"), CONTEXT)

    assert stack.answers[0]["Status"] == "SUCCESS"
