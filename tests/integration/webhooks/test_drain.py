"""OutsideFunction on AWS: SQS starts it, and it invokes ManageFunction. Here, SQS and Lambda are fakes."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from imageapi.catalog.webhooks import LEASE_SECONDS
from imageapi.config.aws_clients import get_aws_client
from imageapi.webhook_sender import drain

from tests.integration.stores import Configure, Stores
from tests.integration.webhooks.calls import add_changes, create, shift
from tests.integration.webhooks.receiver import Receiver
from tests.support.events import LambdaContext, load_handler
from tests.support.http_server import Handler, serve

QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/webhooks"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:webhooks"


@dataclass
class Aws:
    """A fake Lambda, which runs ManageFunction, and a fake SQS, which only records calls."""

    invoked: list[str] = field(default_factory=list)
    visibility: list[tuple[str, int]] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    """Lambda's failure for each step: ``raised``, ``busy`` or ``silent``."""


@pytest.fixture
def aws(service: Stores, configure: Configure) -> Iterator[Aws]:
    found = Aws()
    failures: dict[str, Callable[[Handler], None]] = {
        "raised": lambda a: a.answer(200, b'{"errorMessage": "no"}', x_amz_function_error="Unhandled"),
        "busy": lambda a: a.answer(429, b'{"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}'),
        "silent": lambda a: a.connection.shutdown(socket.SHUT_RDWR),
    }

    class Respond(Handler):
        def respond(self) -> None:
            body = json.loads(self.read_body())
            if "ReceiptHandle" in body:
                assert body["QueueUrl"] == QUEUE_URL
                found.visibility.append((body["ReceiptHandle"], body["VisibilityTimeout"]))
                return self.answer(200, b"{}", content_type="application/x-amz-json-1.0")
            assert self.path == "/2015-03-31/functions/stack-webhooks/invocations"
            found.invoked += body
            if failure := found.fails.get(found.invoked[-1]):
                return failures[failure](self)
            answer = load_handler("ManageFunction")(body, LambdaContext())
            return self.answer(200, json.dumps(answer).encode())

    with serve(Respond) as url:
        configure(AWS_ENDPOINT_URL_LAMBDA=url, AWS_ENDPOINT_URL_SQS=url, AWS_REGION="us-east-1")
        configure(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        configure(MANAGE_FUNCTION="stack-webhooks", WEBHOOK_QUEUE_URL=QUEUE_URL)
        get_aws_client.cache_clear()
        yield found
        get_aws_client.cache_clear()


def run(count: int = 1, seconds: int = 60) -> dict[str, Any]:
    records = [
        {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": "{}", "eventSourceARN": QUEUE_ARN}
        for number in range(count)
    ]
    context = LambdaContext(time_left=seconds * 1000)
    return load_handler("OutsideFunction")({"Records": records}, context)


def test_everything_due_is_sent_while_there_is_time(service: Stores, aws: Aws, server: Receiver) -> None:
    webhook = create(server.url)
    add_changes(service, 45)
    outcome = run(seconds=20)
    assert (outcome["sent"], outcome["next_in"], aws.visibility) == (0, 0, [("r0", 0)])
    aws.invoked.clear()
    assert run(count=3) == {"sent": 45, "failed": 0, "next_in": None, "batchItemFailures": []}
    assert len(server.changes(webhook["secret"])) == 45
    assert aws.invoked == ["take", "settle"] * 3 + ["take"]
    assert len(aws.visibility) == 1


def test_after_a_failure_one_message_stays_until_the_next_attempt(
    service: Stores, aws: Aws, server: Receiver
) -> None:
    create(server.url)
    add_changes(service, 1)
    server.statuses = [500, 500]
    outcome = run(count=3)
    assert (outcome["failed"], outcome["batchItemFailures"]) == (1, [{"itemIdentifier": "m0"}])
    assert aws.visibility == [("r0", outcome["next_in"])]
    assert 4 <= outcome["next_in"] <= 5

    # Another change wakes the function: the retry is still to come.
    shift(service, "next_attempt_at", "-60 seconds")
    add_changes(service, 1)
    assert (outcome := run())["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert 30 < outcome["next_in"] <= 65
    shift(service, "next_attempt_at", "70 seconds")
    assert 7 <= run()["next_in"] <= 10

    # A paused webhook keeps no message.
    service.execute("UPDATE webhooks SET failing_since = now() - interval '1 day', next_attempt_at = now()")
    server.statuses = [500]
    assert run()["batchItemFailures"] == []


def test_a_retry_is_not_forgotten_when_another_webhook_is_due_before(
    service: Stores, aws: Aws, server: Receiver
) -> None:
    later, sooner = create(server.url), create(server.url)
    add_changes(service, 1)
    for webhook, wait in ((later, "30 minutes"), (sooner, "20.2 seconds")):
        service.execute(
            f"UPDATE webhooks SET next_attempt_at = now() + interval '{wait}' WHERE id = %s", (webhook["id"],)
        )
    outcome = run()
    (left,) = service.execute("SELECT min(next_attempt_at) - now() AS time FROM webhooks")
    assert left["time"].total_seconds() <= outcome["next_in"] <= 21, "not before it is due"
    shift(service, "next_attempt_at", "30 seconds")
    outcome = run()
    assert outcome["sent"] == 1
    assert 1700 <= outcome["next_in"] <= 1770
    assert aws.visibility[-1] == ("r0", outcome["next_in"])


@pytest.mark.parametrize("step", ["take", "settle"])
@pytest.mark.parametrize("failure", ["raised", "busy", "silent"])
def test_a_function_that_does_not_answer_is_asked_again(
    service: Stores, aws: Aws, server: Receiver, step: str, failure: str
) -> None:
    """When the lease of an unsettled delivery ends, it is sent again."""
    create(server.url)
    add_changes(service, 1)
    aws.fails = {step: failure}
    outcome = run()
    assert outcome["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    ((message, seconds),) = aws.visibility
    assert message == "r0"
    if step == "take":
        assert seconds == drain.RETRY_SECONDS
    else:
        assert LEASE_SECONDS - 5 <= seconds == outcome["next_in"] <= LEASE_SECONDS
        shift(service, "lease_until", f"{LEASE_SECONDS} seconds")
    aws.fails = {}
    assert run()["sent"] == 1
    assert len(server.received) == (1 if step == "take" else 2)
