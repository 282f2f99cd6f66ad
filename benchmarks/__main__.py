"""`python -m benchmarks [name …] [--json FILE]`: run the named benchmarks, or all, and print one table."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import ROOT, batch, changes, cold, edge, http, keys, listing, memory, render, upload, wal
from benchmarks.builds import Build
from benchmarks.figures import BenchmarkError, Figure, format_table

NAMES = (
    *(upload.NAME, http.NAME, listing.NAME, keys.NAME, changes.NAME, batch.NAME, wal.NAME),
    *(render.NAME, cold.NAME, memory.NAME, edge.NAME),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the service, as ratios."
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which to run: {', '.join(NAMES)}; all when absent"
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
    if unknown := [name for name in arguments.names if name not in NAMES]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES)}")

    build = Build(arguments.build)
    benchmarks: dict[str, Callable[[], list[Figure]]] = {
        upload.NAME: upload.run,
        http.NAME: http.run,
        listing.NAME: listing.run,
        keys.NAME: keys.run,
        changes.NAME: changes.run,
        batch.NAME: batch.run,
        wal.NAME: wal.run,
        render.NAME: render.run,
        cold.NAME: lambda: cold.run(build),
        memory.NAME: lambda: memory.run(build),
        edge.NAME: edge.run,
    }
    figures: list[Figure] = []
    failed = False
    for name in arguments.names or NAMES:
        try:
            figures += benchmarks[name]()
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
