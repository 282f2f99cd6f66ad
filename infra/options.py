"""Writes template.yaml with options that CloudFormation's conditions cannot express.

    python infra/options.py snapstart usage-plan > template.options.yaml

alias       Publishes a version of each function that clients wait for, and the alias `live`, with each
            deploy: what provisioned concurrency needs.
snapstart   The same, and Lambda takes a snapshot of each such version after its imports, and starts from that
            instead of importing again. Lambda keeps no provisioned concurrency beside it.
usage-plan  API Gateway itself asks for the key, throttles each key and bounds its requests in a day. It then
            answers 401 `api_key_invalid` whether a key is missing or wrong, and a new key has to be made
            known to it (docs/operations.md).
"""

import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEYED = re.compile(
    r'^( +)(\w+): \{Type: Api, Properties: \{(RestApiId: !Ref Api, Path: "?/api/[^ ]+), Method: ANY\}\}$',
    re.M,
)

WAITED_FOR = ("UploadFunction", "ListFunction", "ImageFunction", "DeliverFunction")

USAGE_PLAN = """\
  GatewayKey:
    Type: AWS::ApiGateway::ApiKey
    Properties:
      Enabled: true
      Value: !If [MakesApiKey, !Sub "{{resolve:secretsmanager:${ApiKeySecret}}}", !Ref ApiKey]

  UsagePlan:
    Type: AWS::ApiGateway::UsagePlan
    DependsOn: ApiStage
    Properties:
      Description: For each key
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref StageName}]
      Throttle: {RateLimit: 20, BurstLimit: 40}
      Quota: {Limit: 100000, Period: DAY}

  GatewayKeyInUsagePlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref GatewayKey, KeyType: API_KEY, UsagePlanId: !Ref UsagePlan}

"""

REFUSAL = """\
        INVALID_API_KEY:
          StatusCode: 401
          ResponseParameters: *gateway-headers
          ResponseTemplates:
            application/json: '{"error":{"code":"api_key_invalid","message":"This API key is not valid."}}'
"""


def add_alias(text: str, *, snapstart: bool) -> str:
    """The alias gets a new version with each deploy, also when only parameters have changed. The version
    before is deleted: Lambda would charge for its snapshot too.
    """
    attributes = "    DeletionPolicy: Delete\n    UpdateReplacePolicy: Delete\n"
    lines = f"""\
      AutoPublishAlias: live
      AutoPublishCodeSha256: "{time.time_ns()}"
""" + ("      SnapStart: {ApplyOn: PublishedVersions}\n" if snapstart else "")
    for name in WAITED_FOR:
        head = f"  {name}:\n    Type: AWS::Serverless::Function\n"
        middle = "    DependsOn: Schema\n    Properties:\n"
        text = insert_after(text, head + middle, lines).replace(head, head + attributes)
    return text


def add_usage_plan(text: str) -> str:
    """Preflights carry no key, so they get events of their own."""
    found = len(KEYED.findall(text))
    if not found:
        raise SystemExit("error: template.yaml has no routes that need a key in the form that is looked for")
    text = KEYED.sub(
        r"\1\2: {Type: Api, Properties: {\3, Method: ANY, Auth: {ApiKeyRequired: true}}}"
        r"\n\1\2Preflight: {Type: Api, Properties: {\3, Method: OPTIONS}}",
        text,
    )
    text = insert_after(text, "        QUOTA_EXCEEDED: *gateway-throttled\n", REFUSAL)
    return replace_once(text, "\nOutputs:\n", f"\n{USAGE_PLAN}Outputs:\n")


def insert_after(text: str, found: str, lines: str) -> str:
    """Put lines after others, which must be there once."""
    return replace_once(text, found, found + lines)


def replace_once(text: str, found: str, lines: str) -> str:
    """Put lines in the place of others, which must be there once."""
    if text.count(found) != 1:
        raise SystemExit(f"error: template.yaml should have once: {found.strip()}")
    return text.replace(found, lines)


OPTIONS: dict[str, Callable[[str], str]] = {
    "alias": partial(add_alias, snapstart=False),
    "snapstart": partial(add_alias, snapstart=True),
    "usage-plan": add_usage_plan,
}


def apply_options(text: str, names: list[str]) -> str:
    """The template with options."""
    if {"alias", "snapstart"} <= set(names):
        raise SystemExit("error: snapstart brings the alias with it, and takes no provisioned concurrency")
    for name in names:
        if name not in OPTIONS:
            raise SystemExit(f"error: {name} is no option; there are {', '.join(OPTIONS)}")
        text = OPTIONS[name](text)
    return text


if __name__ == "__main__":
    sys.stdout.write(apply_options((ROOT / "template.yaml").read_text(encoding="utf-8"), sys.argv[1:]))
