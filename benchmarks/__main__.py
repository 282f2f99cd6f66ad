"""`python -m benchmarks [name …] [--json FILE]`: run the named benchmarks, or all, and print one table."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import ROOT, changes, cold, http, keys, listing, memory, render, upload, wal
from benchmarks.builds import Build
from benchmarks.figures import BenchmarkError, Figure, format_table

RUNS: dict[str, Callable[[Build], list[Figure]]] = {
    upload.NAME: lambda _: upload.run(),
    http.NAME: lambda _: http.run(),
    listing.NAME: lambda _: listing.run(),
    keys.NAME: lambda _: keys.run(),
    changes.NAME: lambda _: changes.run(),
    wal.NAME: lambda _: wal.run(),
    render.NAME: lambda _: render.run(),
    cold.NAME: cold.run,
    memory.NAME: memory.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the service, as ratios."
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which to run: {', '.join(RUNS)}; all when absent"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument(
        "--build",
        type=Path,
        metavar="DIR",
        default=ROOT / ".aws-sam" / "build",
        help="what `sam build` made, for cold and memory (%(default)s)",
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in RUNS]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(RUNS)}")

    build = Build(arguments.build)
    figures: list[Figure] = []
    failed = False
    for name in arguments.names or RUNS:
        try:
            figures += RUNS[name](build)
        except BenchmarkError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    if figures:
        print()
        print(format_table(figures))
    if arguments.json:
        machine = {"machine": platform.platform(), "python": platform.python_version()}
        report = {**machine, "figures": [figure.as_json() for figure in figures]}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
        print(f"\nWritten to {arguments.json}.")
    return 1 if failed or any(figure.verdict == "over" for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
