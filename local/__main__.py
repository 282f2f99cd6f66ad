"""python -m local run, invoke, monitor and demo: see --help."""

import argparse
import sys
from pathlib import Path

from local.errors import LocalError


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where the data is kept (default: .data)"
    )
    shared.add_argument(
        "--template", type=Path, metavar="FILE", help="the template to run (default: template.yaml)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", parents=[shared], help="run PostgreSQL, S3 and the API until Ctrl-C")
    run.add_argument("--port", type=int, help="of the API; 0 for any that is free (default: PORT or 8000)")
    run.add_argument("--db-port", type=int, help="of PostgreSQL (default: DB_PORT or 5432)")
    run.add_argument("--s3-port", type=int, help="of S3 (default: S3_PORT, or that of MINIO_ENDPOINT_URL)")
    run.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="JSON with addresses and keys, written when ready"
    )
    run.add_argument("--ephemeral", action="store_true", help="keep the data only until the end")
    invoke = commands.add_parser("invoke", parents=[shared], help="call one function, beside a run")
    invoke.add_argument("function", help="its name in the template")
    invoke.add_argument("event", nargs="?", type=Path, help="a file with the event (default: {})")
    monitor = commands.add_parser("monitor", parents=[shared], help="watch a run, or the containers")
    monitor.add_argument("--once", action="store_true", help="print one table and end")
    monitor.add_argument("--json", action="store_true", help="with --once: JSON instead of a table")
    monitor.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="(default: 2)")
    demo = commands.add_parser("demo", parents=[shared], help="fill a running API with pictures")
    demo.add_argument("--count", type=int, default=300, help="how many (default: 300)")
    demo.add_argument("--base-url", metavar="URL", help="of the API (default: BASE_URL, else the run here)")
    demo.add_argument("--api-key", metavar="KEY", help="(default: API_KEY)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        # After --help and usage errors, which need none of it.
        if arguments.command in ("monitor", "demo"):
            from local.beside import run_beside as run_command
        else:
            from local.cli import run_command

        run_command(arguments)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a folder that may not be written, a disk that is full
        print(
            f"error: {error.strerror}: {error.filename}" if error.filename else f"error: {error}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
