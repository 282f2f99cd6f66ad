"""Invoke a function by its name in the template, beside a `make run` or docker compose, or in a stack."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from local.docker import STORE_ADDRESSES, are_stores_running
from local.errors import LocalError
from local.run_info import find_run_info
from local.settings import ROOT, OwnStores, Settings

Invoke = Callable[[str], str]
"""Accepts an event and returns the function's result, both as JSON. Raises LocalError after a failure."""

STACK_SECONDS = 900
"""The longest time for a function of a stack: Lambda's maximum Timeout."""


@contextlib.contextmanager
def local_function(settings: Settings, name: str) -> Iterator[Invoke]:
    """A function with the stores of the current run, or of docker compose."""
    from local.gateway.logs import LogSink
    from local.gateway.pool import make_pools
    from local.gateway.worker import InvokeError

    settings, stores = _find_stores(settings)
    _, pools = make_pools(settings, stores, LogSink(None), only=name)
    if name not in pools:
        raise LocalError(f"{settings.template} does not contain a function {name}.")

    def invoke(event: str) -> str:
        try:
            return pools[name].invoke(event).decode()
        except InvokeError as error:
            raise LocalError(f"{name} {error}.") from error

    try:
        yield invoke
    finally:
        pools[name].close()


def _find_stores(settings: Settings) -> tuple[Settings, OwnStores | None]:
    """The stores of the current run; else None, and settings that name the stores of docker compose.

    Raises:
        LocalError: neither is running. A data folder other than the default one never means docker compose.
    """
    if info := find_run_info(settings.data_dir):
        return settings, OwnStores(info["database"]["port"], info["s3"]["endpoint_url"])
    if settings.data_dir == ROOT / ".data" and are_stores_running():
        return replace(settings, values={**settings.values, **STORE_ADDRESSES}), None
    raise LocalError(
        "No service is running on this data folder. First start make run in another terminal, or the "
        "containers with make up."
    )


@contextlib.contextmanager
def stack_function(stack: str, name: str) -> Iterator[Invoke]:
    """A function of a stack on AWS, with the credentials and the region of the AWS CLI."""
    import boto3
    from botocore.config import Config

    with _aws_errors(stack):
        cloud = boto3.client("cloudformation")
        found = cloud.describe_stack_resource(StackName=stack, LogicalResourceId=name)
        physical_name = found["StackResourceDetail"]["PhysicalResourceId"]
        # One attempt, because a second one would run beside the first.
        config = Config(read_timeout=STACK_SECONDS, retries={"total_max_attempts": 1})
        client = boto3.client("lambda", config=config)

    def invoke(event: str) -> str:
        with _aws_errors(physical_name):
            answer = client.invoke(FunctionName=physical_name, Payload=event.encode())
            text: str = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise LocalError(f"{physical_name} failed: {text}")
        return text

    yield invoke


def find_parameters(stack: str) -> dict[str, str]:
    """The parameters of a stack on AWS."""
    import boto3

    with _aws_errors(stack):
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {item["ParameterKey"]: item["ParameterValue"] for item in found["Parameters"]}


def find_outputs(stack: str) -> dict[str, str]:
    """The outputs of a stack on AWS."""
    import boto3

    with _aws_errors(stack):
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}


def read_secret(arn: str) -> str:
    """The value of a secret in Secrets Manager."""
    import boto3

    with _aws_errors(arn):
        return str(boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


@contextlib.contextmanager
def _aws_errors(name: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"{name}: {error}") from error
