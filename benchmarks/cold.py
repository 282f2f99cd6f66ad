"""Cold imports of the built functions, compared with a naive import of the same packages.

The unit is CPU time. On a quiet machine, that equals wall-clock time, because the files are cached in memory.
On a busy one, wall-clock time would include other programs.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from benchmarks import ROOT
from benchmarks.builds import Build
from benchmarks.figures import Figure, take_turns

NAME = "cold"
CHILD = Path(__file__).with_name("cold_child.py")
ROUNDS, WARM_UP = 15, 1
ENVIRON = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    # Lambda sets these.
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_SESSION_TOKEN": "benchmark",
    "DB_HOST": "127.0.0.1",
    "MINIO_BUCKET_NAME": "images",
    "API_KEY": "benchmark-api-key",
    "SECRET_KEY": "benchmark-secret-key",
}


@dataclass(frozen=True)
class Start:
    """The start of a function: its import and, with `then`, a part of its first request."""

    function: str
    then: str = ""
    title: str = "import"
    goal: float | None = None


def list_starts(build: Build) -> list[Start]:
    """Starts with goals first, then the other built functions, for information."""
    starts = [
        Start("list", goal=0.15),
        Start("list", "answer", "import + first answer (401)"),
        Start("upload"),
        Start("upload", "put", "import + ready to put", goal=0.30),
    ]
    known = {start.function for start in starts}
    others = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    return starts + [Start(name) for name in others if name not in known and task_of(build, name).is_dir()]


def task_of(build: Build, function: str) -> Path:
    return build.task(function.title() + "Function")


def lay_out_naive_stack(build: Build, folder: Path) -> None:
    """Copy the layer's packages and boto3 without bytecode, as plain `sam build` ships them."""
    ignored = shutil.ignore_patterns("__pycache__", "imageapi")
    shutil.copytree(build.layer, folder, ignore=ignored)
    for package in ("boto3", "s3transfer"):
        (source,) = import_module(package).__path__
        shutil.copytree(source, folder / package, ignore=ignored)


def run(build: Build) -> list[Figure]:
    build.check()
    starts = list_starts(build)
    print(f"cold: {len(starts)} ways to start and the naive one, {ROUNDS} rounds", flush=True)
    with tempfile.TemporaryDirectory(prefix="image-api-bench-") as folder:
        naive = Path(folder) / "python"
        lay_out_naive_stack(build, naive)

        def call(*arguments: str | Path) -> Callable[[], float]:
            return lambda: float(build.run(CHILD, *arguments, environ=ENVIRON)["ready"])

        calls = {"naive": call("naive", "", naive)}
        for start in starts:
            task = task_of(build, start.function)
            calls[f"{start.function}, {start.title}"] = call("app", start.then, task, build.layer)
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
    return [
        Figure(f"cold {name}", medians[name], medians["naive"], "naive stack", goal=start.goal)
        for start in starts
        for name in [f"{start.function}, {start.title}"]
    ]
