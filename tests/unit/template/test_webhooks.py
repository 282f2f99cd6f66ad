"""What sends webhooks: outside the network, with few permissions, and only where it is asked for."""

import pytest

from tests.support.templates import MAIN, expand_template, find, read_template


def test_sending_is_outside_the_network_and_sees_neither_database_nor_bucket() -> None:
    function = find(MAIN, "AWS::Lambda::Function")["OutsideFunction"]
    assert function["VpcConfig"] == {"Ref": "AWS::NoValue"}
    assert not {"POSTGRES_PASSWORD", "DATABASE_SECRET_ARN", "API_KEY", "SECRET_KEY"} & set(
        function["Environment"]["Variables"]
    )
    role = find(MAIN, "AWS::IAM::Role")["NotifyFunctionRole"]
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Fn::GetAtt": ["ManageFunction", "Arn"]}
    assert len(role["ManagedPolicyArns"]) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("WebhookQueue", "WebhookDeadLetterQueue", "WebhookQueuePolicy", "WebhookSchedule"),
        *("WebhookQueueMapping", "WebhookWorkPolicy", "WakeWebhooks"),
    ],
)
def test_off_by_default(name: str) -> None:
    assert read_template(MAIN)["Parameters"]["Webhooks"]["Default"] == "false"
    assert expand_template(MAIN)[name]["Condition"] == "SendsWebhooks"


def test_every_function_that_may_change_something_may_wake() -> None:
    (roles,) = (find(MAIN, "AWS::IAM::Policy")["WakeWebhooks"]["Roles"],)
    reading = {"List", "Deliver", "Health", "Gallery", "Changes", "Invalidate", "Notify", "Migrate"}
    functions = {name.removesuffix("Function") for name in find(MAIN, "AWS::Lambda::Function")}
    assert {role["Ref"].removesuffix("FunctionRole") for role in roles} == functions - reading


def test_no_parameter_allows_private_addresses() -> None:
    assert "WEBHOOK_ALLOW_PRIVATE" not in str(expand_template(MAIN))


def test_a_message_outlasts_a_day_of_failures() -> None:
    queue = find(MAIN, "AWS::SQS::Queue")["WebhookQueue"]
    assert queue["MessageRetentionPeriod"] > 2 * 86_400
    assert queue["RedrivePolicy"]["maxReceiveCount"] > 20 * 40
