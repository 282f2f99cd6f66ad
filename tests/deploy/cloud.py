"""AWS on this machine: ministack with IAM enforced, and PostgreSQL from the wheel for the functions.

AWS_ENDPOINT_URL or LOCALSTACK_HOST may name another emulator, whose functions reach this machine's 127.0.0.1.
"""

import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.servers.ports import HOST, free_port
from local.servers.postgres import PostgresServer
from tests import ROOT
from tests.support.aws import find_endpoint, make_client
from tests.support.postgres import turn_fsync_off
from tests.support.waiting import wait_until

EMULATOR_PYTHON = ROOT / ".venv-deploy" / "bin" / "python"
REGION = "us-east-1"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Stack:
    """A deployed stack, and the address of its API."""

    name: str
    base_url: str
    outputs: Mapping[str, str]


class Cloud:
    """Starts when created. Programs connect to it with ``environ``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        named = find_endpoint()
        self.url = named or f"http://{HOST}:{free_port()}"
        self.database = PostgresServer(folder / "database", password="a-password-of-the-tests")
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))
        } | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "000000000000",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
            "NO_PROXY": HOST,
        }
        self.log = folder / "ministack.log"
        self._secrets: dict[str, str] = {}
        self.database.start()
        turn_fsync_off(self.database)
        try:
            if not named:
                self._process = self._start_emulator()
                wait_until(self._is_ready, START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _start_emulator(self) -> subprocess.Popen[bytes]:
        home = self.folder / "ministack"
        home.mkdir()
        own = {
            "GATEWAY_PORT": str(urlsplit(self.url).port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "AWS_ENDPOINT_URL": self.url,
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [EMULATOR_PYTHON, Path(__file__).with_name("emulator.py")]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, cwd=home, env=own, stdout=log, stderr=subprocess.STDOUT)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5)
        except OSError:
            return False
        return True

    def stop(self) -> None:
        process = getattr(self, "_process", None)
        if process:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.database.stop()

    def client(self, service: str) -> Any:
        """A boto3 client with the account owner's permissions."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return make_client(service, self.url, **{name.lower(): self.environ[name] for name in names})

    def run(self, *command: str | Path, **variables: str) -> tuple[int, str]:
        """Run a program that connects to it; returns its exit code and output."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1_800,
        )
        return done.returncode, done.stdout

    def sam(self, *arguments: str, check: bool = True) -> str:
        """Run SAM CLI; returns its output. If SAM fails and ``check`` is true, fails with that output."""
        status, output = self.run(Path(sys.executable).with_name("sam"), *arguments)
        assert status == 0 or not check, f"sam {arguments[0]} failed:\n{output[-3000:]}\n{self.errors()}"
        return output

    def errors(self) -> str:
        """The errors in ministack's log. Empty for another emulator."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(line for line in lines if " ERROR " in line)

    def build(self) -> Path:
        """``sam build``: the folder with the built template."""
        target = self.folder / "build"
        self.sam("build", "--build-dir", str(target), "--cache-dir", str(self.folder / "cache"))
        return target

    def deploy(
        self,
        build: Path,
        name: str,
        parameters: Mapping[str, str],
        *,
        options: Sequence[str] = (),
        check: bool = True,
    ) -> str:
        """Run ``sam deploy`` with samconfig.toml; returns its output.

        By default, the stack uses this machine's database. The functions find the emulator's S3 themselves.
        """
        values = {"DatabaseSecretArn": self.database_secret(), **parameters}
        return self.sam(
            "deploy",
            *("--template-file", str(build / "template.yaml")),
            *("--stack-name", name),
            *("--config-file", str(ROOT / "samconfig.toml")),
            "--no-confirm-changeset",
            "--no-progressbar",
            *options,
            *("--parameter-overrides", *(f"{key}={value}" for key, value in values.items())),
            check=check,
        )

    def database_secret(self, dbname: str = "imagedb", password: str = "") -> str:
        """The ARN of a secret like those of RDS, which the first call creates."""
        server = self.database
        values = {"host": server.host, "port": server.port, "dbname": dbname, "sslmode": "disable"}
        values |= {"username": server.user, "password": password or server.password}
        text = json.dumps(values)
        if text not in self._secrets:
            manager = self.client("secretsmanager")
            secret = manager.create_secret(Name=f"database-{uuid.uuid4()}", SecretString=text)
            self._secrets[text] = str(secret["ARN"])
        return self._secrets[text]

    def create_database(self, name: str) -> str:
        """Create another database; returns the ARN of its secret."""
        with closing(self.database.connect("postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return self.database_secret(name)

    def api_key(self, stack: str) -> str:
        """The root key that a stack has generated."""
        return self.secret(self.outputs(stack)["ApiKeySecret"])

    def secret(self, arn: str) -> str:
        return str(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    def create(self, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create a stack without SAM, from the template's text; returns its outputs."""
        client = self.client("cloudformation")
        client.create_stack(
            StackName=name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        waiter = client.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": int(START_SECONDS)})
        return self.outputs(name)

    def outputs(self, stack: str) -> dict[str, str]:
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}

    def describe(self, name: str) -> Stack:
        outputs = self.outputs(name)
        api = outputs["ApiUrl"].removeprefix("https://").partition(".")[0]
        stage = outputs["ApiUrl"].rpartition("/")[2]
        return Stack(name, f"{self.url}/restapis/{api}/{stage}/_user_request_", outputs)

    def delete(self, name: str) -> None:
        """Delete a stack without SAM CLI (see emulator.py)."""
        client = self.client("cloudformation")
        client.delete_stack(StackName=name)

        def is_gone() -> bool:
            status = self.status(name)
            assert status != "DELETE_FAILED", self.errors()
            return status in ("", "DELETE_COMPLETE")

        wait_until(is_gone, START_SECONDS)

    def status(self, name: str) -> str:
        """The stack's status in CloudFormation. Empty without a stack."""
        stacks = self.client("cloudformation").list_stacks()["StackSummaries"]
        found = [item["StackStatus"] for item in stacks if item["StackName"] == name]
        return str(found[-1]) if found else ""

    def physical_id(self, stack: str, name: str) -> str:
        """The physical id of the resource with this name in the template."""
        answer = self.client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=name
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def invoke(self, stack: str, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a stack's function by its logical name; returns its response."""
        name = self.physical_id(stack, function)
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    def variables(self, stack: str, function: str) -> dict[str, str]:
        """The environment of a stack's function."""
        name = self.physical_id(stack, function)
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        return dict(found["Environment"]["Variables"])

    def set_variables(self, stack: str, function: str, variables: Mapping[str, str]) -> None:
        name = self.physical_id(stack, function)
        client = self.client("lambda")
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
