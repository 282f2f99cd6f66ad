"""`python -m local run` as a child process, on free ports."""

import http.client
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg2

from tests import ROOT
from tests.support.http_client import Answer, fetch
from tests.support.waiting import wait_until


@dataclass
class Run:
    """Starts when created, and is then ready. `info` is its ready file, `output` its output."""

    data_dir: Path
    template: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ready_file = self.data_dir.with_name(f"{self.data_dir.name}-ready.json")
        self.log = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "local", "run", "--port", "0", "--db-port", "0", "--s3-port", "0"]
        command += ["--data-dir", str(self.data_dir), "--template", str(self.template)]
        command += ["--ready-file", str(self.ready_file)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self.variables}, stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None, 60)
        assert self.ready_file.exists(), self.output
        self.info = json.loads(self.ready_file.read_text())

    @property
    def output(self) -> str:
        return self.log.read_text()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.info["base_url"].removeprefix("http://"), timeout=20)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return fetch(method, self.info["base_url"] + path, headers, body)

    def connect_database(self) -> Any:
        info = {key: value for key, value in self.info["database"].items() if key != "pid"}
        return psycopg2.connect(**info)

    def s3_client(self) -> Any:
        """A boto3 client of the run's S3."""
        s3 = self.info["s3"]
        create: Any = boto3.client  # typed for each service by name
        keys = {"aws_access_key_id": s3["access_key"], "aws_secret_access_key": s3["secret_key"]}
        return create("s3", endpoint_url=s3["endpoint_url"], region_name="us-east-1", **keys)

    def family(self) -> list[psutil.Process]:
        """The run's process and all its descendants."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)


def is_running(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def run_local(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m local COMMAND …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "local", command, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
