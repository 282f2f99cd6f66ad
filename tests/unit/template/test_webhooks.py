"""What sends webhooks: outside the network, with few permissions, and only where it is asked for."""

from tests.support.templates import MAIN, expand_template, find, read_template, resolve


def test_sending_is_outside_the_network_and_sees_neither_database_nor_bucket() -> None:
    function = find(MAIN, "AWS::Lambda::Function")["OutsideFunction"]
    assert function["VpcConfig"] == {"Ref": "AWS::NoValue"}
    role = find(MAIN, "AWS::IAM::Role")["OutsideFunctionRole"]
    (policy,) = role["Policies"]
    invoke, drain_queue, invalidate = policy["PolicyDocument"]["Statement"]
    assert (invoke["Action"], invoke["Resource"]) == (
        "lambda:InvokeFunction",
        {"Fn::GetAtt": ["ManageFunction", "Arn"]},
    )
    assert {action.partition(":")[0] for action in drain_queue["Action"]} == {"sqs"}
    assert invalidate["Fn::If"][1]["Action"] == "cloudfront:CreateInvalidation"
    assert len(role["ManagedPolicyArns"]) == 1


def test_off_by_default() -> None:
    template = read_template(MAIN)
    mapping = resolve(template["Resources"]["WebhookQueueMapping"]["Properties"], template, {})
    schedule = resolve(template["Resources"]["WebhookSchedule"]["Properties"], template, {})
    assert (mapping["Enabled"], schedule["State"]) == ("false", "DISABLED")


def test_no_parameter_allows_private_addresses() -> None:
    assert "WEBHOOK_ALLOW_PRIVATE" not in str(expand_template(MAIN))


def test_a_message_outlasts_a_day_of_failures() -> None:
    queue = find(MAIN, "AWS::SQS::Queue")["WebhookQueue"]
    assert queue["MessageRetentionPeriod"] > 2 * 86_400
    assert queue["RedrivePolicy"]["maxReceiveCount"] > 20 * 40
