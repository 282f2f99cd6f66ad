"""Runs ministack, an emulator of AWS: ``.venv-deploy/bin/python tests/deploy/emulator.py``, on GATEWAY_PORT.

Patches this version's differences from AWS in the running process, so that template.yaml is deployed
unchanged. It does not support:

- ``sam delete``, which reads nested templates from addresses that begin with https://s3. The tests call
  CloudFormation's DeleteStack, as sam delete does.
- RDS: it records databases without a server. The functions use the tests' own, with DatabaseSecretArn.
- AWS::EC2::NatGateway, AWS::Budgets::Budget, AWS::IAM::OIDCProvider, and conditions on aws:ResourceTag. Only
  cfn-lint and the unit tests check NatGateway=true, infra/budget.yaml, and these parts of infra/github.yaml.
- AWS::EC2::VPCEndpoint, which routes nothing. So the functions are not in a network.
"""

import importlib
import string
from typing import Any

ANY_METHOD = "x-amazon-apigateway-any-method"


def mend_any_method(gateway: Any) -> None:
    """ministack exports API Gateway's OpenAPI extension for ``ANY``, but ignores it on import."""
    import_path = gateway._import_path_item
    gateway._OPENAPI_HTTP_METHODS.add("any")

    def import_path_with_any(api_id: str, path: str, item: dict[str, Any], *rest: Any, **named: Any) -> Any:
        renamed = {"any" if name == ANY_METHOD else name: value for name, value in item.items()}
        return import_path(api_id, path, renamed, *rest, **named)

    gateway._import_path_item = import_path_with_any


def mend_binary_media_types(gateway: Any) -> None:
    """CloudFormation requires ``/`` in media types as ``~1``, which ministack does not unescape."""
    matches = gateway._media_type_matches
    gateway._media_type_matches = lambda found, accepted: matches(
        found, [name.replace("~1", "/") for name in accepted or []]
    )


def mend_answers_without_body(gateway: Any) -> None:
    """A function may respond with ``"body": null``, as for a redirect. ministack fails on it."""
    read_answer = gateway._lambda_proxy_response

    def read_answer_with_body(result: Any) -> tuple[Any, Any]:
        answer, error = read_answer(result)
        if isinstance(answer, dict) and answer.get("body", "") is None:
            answer = {**answer, "body": ""}
        return answer, error

    gateway._lambda_proxy_response = read_answer_with_body


def assume_tls(evaluator: Any) -> None:
    """The bucket's policy denies requests without TLS, which the emulator does not support."""
    resolve = evaluator._resolve_condition_key
    evaluator._resolve_condition_key = lambda key, context: (
        "true" if key.lower() == "aws:securetransport" else resolve(key, context)
    )


def mend_generated_secrets(provisioners: Any) -> None:
    """ministack ignores ``ExcludePunctuation`` in a template."""
    generate = provisioners._sm_secret_string

    def generate_as_told(properties: dict[str, Any]) -> Any:
        wanted = properties.get("GenerateSecretString") or {}
        if str(wanted.get("ExcludePunctuation")).lower() == "true":
            wanted = {**wanted, "ExcludeCharacters": string.punctuation}
            properties = {**properties, "GenerateSecretString": wanted}
        return generate(properties)

    provisioners._sm_secret_string = generate_as_told


def mend_references_in_nested_stacks(engine: Any, provisioners: Any) -> None:
    """ministack resolves ``{{resolve:secretsmanager:…}}`` only in a root stack."""
    provision, update = provisioners._provision_resource, provisioners._update_resource

    def resolve(properties: Any) -> Any:
        return engine._resolve_dynamic_references(properties)[0]

    provisioners._provision_resource = lambda kind, name, properties, *rest: provision(
        kind, name, resolve(properties), *rest
    )
    provisioners._update_resource = lambda kind, name, old, new, *rest: update(
        kind, name, resolve(old), resolve(new), *rest
    )


def mend_dependencies_of_metadata(engine: Any) -> None:
    """CloudFormation also waits for references in ``Metadata``. ministack reads only properties."""
    extract = engine._extract_deps

    def extract_with_metadata(resource: dict[str, Any], names: set[str]) -> set[str]:
        properties = [resource.get("Properties", {}), resource.get("Metadata", {})]
        return set(extract({**resource, "Properties": properties}, names))

    engine._extract_deps = extract_with_metadata


def mend_metric_math(provisioners: Any) -> None:
    """ministack refuses alarms on a metric math expression. The first metric replaces it."""
    record = provisioners._cw_metric_alarm_record

    def record_first_metric(name: str, properties: dict[str, Any]) -> Any:
        if metrics := properties.get("Metrics"):
            first = metrics[0]["MetricStat"]
            properties = {**properties, **first["Metric"], "Period": first["Period"], "Metrics": None}
        return record(name, properties)

    provisioners._cw_metric_alarm_record = record_first_metric


def mend_secrets_of_databases(provisioners: Any) -> None:
    """ministack's databases in a template lack a secret of their owner. This adds its ARN."""
    for name in ("_rds_db_instance_attrs", "_rds_db_cluster_attrs"):
        read = getattr(provisioners, name)

        def read_with_secret(found: dict[str, Any], read: Any = read) -> Any:
            arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds!of-the-owner"
            return read(found) | {"MasterUserSecret.SecretArn": arn}

        setattr(provisioners, name, read_with_secret)


def main() -> None:
    gateway = importlib.import_module("ministack.services.apigateway_v1")
    assume_tls(importlib.import_module("ministack.core.iam_evaluator"))
    mend_any_method(gateway)
    mend_binary_media_types(gateway)
    mend_answers_without_body(gateway)
    provisioners = importlib.import_module("ministack.services.cloudformation.provisioners")
    mend_generated_secrets(provisioners)
    mend_metric_math(provisioners)
    mend_secrets_of_databases(provisioners)
    mend_dependencies_of_metadata(importlib.import_module("ministack.services.cloudformation.engine"))
    mend_references_in_nested_stacks(
        importlib.import_module("ministack.services.cloudformation.engine"), provisioners
    )
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
