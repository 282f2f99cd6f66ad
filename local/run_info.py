"""Addresses, keys and pids of a run. It prints them and, when it is ready, writes them to run.json."""

import contextlib
import json
import os
import shlex
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.servers.locks import is_locked
from local.servers.ports import HOST

if TYPE_CHECKING:
    from local.servers.postgres import PostgresServer
    from local.servers.s3 import S3Server

RUN_FILE = "run.json"
"""In the data folder. It exists while the run is ready, and stays if the run is killed."""
RUN_LOCK = "runner.lock"
"""Next to it, locked during the run."""


def say(text: str) -> None:
    """Print, and ignore a closed terminal, so that a run still shuts down cleanly."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def short(path: Path) -> str:
    """The path relative to the current folder if it is inside, else the full path."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def collect_run_info(port: int, api_key: str, postgres: "PostgresServer", s3: "S3Server") -> dict[str, Any]:
    """The content of run.json and --ready-file."""
    return {
        "base_url": f"http://{HOST}:{port}",
        "api_key": api_key,
        "pid": os.getpid(),
        "database": {
            "host": postgres.host,
            "port": postgres.port,
            "user": postgres.user,
            "password": postgres.password,
            "dbname": postgres.database,
            "pid": postgres.pid,
        },
        "s3": {
            "endpoint_url": s3.endpoint_url,
            "access_key": s3.access_key,
            "secret_key": s3.secret_key,
            "bucket": s3.bucket,
            "pid": s3.pid,
        },
    }


def write_run_info(paths: Iterable[Path], info: dict[str, Any]) -> None:
    """Write each file atomically. Only its owner can read it, because it contains keys."""
    for path in paths:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(info, file, indent=2)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def find_run_info(data_dir: Path) -> dict[str, Any] | None:
    """The content of run.json for the current run on this data folder; None without one."""
    if not is_locked(data_dir / RUN_LOCK):
        return None
    try:
        info: dict[str, Any] = json.loads((data_dir / RUN_FILE).read_text())
    except OSError:
        return None
    return info


def print_run_info(info: dict[str, Any], data_dir: Path, seconds: float) -> None:
    database, s3 = info["database"], info["s3"]
    picture = data_dir / "sample.png"
    make_sample_picture(picture)
    say(f"Ready in {seconds:.1f} s. Press Ctrl-C to stop.\n")
    say(f"  Gallery   {info['base_url']}")
    say(f"  API key   {info['api_key']}")
    address = f"{database['user']}@{database['host']}:{database['port']}/{database['dbname']}"
    say(f"  Database  postgresql://{address}")
    say(f"  S3        {s3['endpoint_url']}, bucket {s3['bucket']}")
    say(f"  Data      {short(data_dir)}\n")
    say("  Upload an image:")
    say(f"    curl -H {shlex.quote('X-API-Key: ' + info['api_key'])} \\")
    say(f'      -F image_file=@{shlex.quote(short(picture))} -F \'metadata={{"title":"Sample"}}\' \\')
    say(f"      {info['base_url']}/api/upload\n")
    say("  Changes in functions/ and layers/ load with the next request; .env and template.yaml, at the")
    say("  next start.\n")


def make_sample_picture(path: Path) -> None:
    """Create a small PNG for the first upload if it is missing."""
    if path.exists():
        return
    from PIL import Image  # only the first run needs it

    size = (320, 200)
    down = Image.linear_gradient("L")
    across = down.rotate(90)
    blue = Image.new("L", size, 160)
    Image.merge("RGB", (across.resize(size), down.resize(size), blue)).save(path)
