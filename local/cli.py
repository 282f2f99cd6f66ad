"""python -m local run, invoke, monitor and demo: see --help.

Each command imports what only it needs: SAM CLI alone takes half a second.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from local.errors import LocalError
from local.run_info import find_run_info, say, short
from local.settings import OwnStores, load_settings


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=(__doc__ or "").partition("\n")[0])
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
    monitor.add_argument("--json", action="store_true", help="the same as JSON")
    demo = commands.add_parser("demo", parents=[shared], help="fill a running API with pictures")
    demo.add_argument("--count", type=int, default=300, help="how many (default: 300)")
    demo.add_argument("--base-url", metavar="URL", help="of the API (default: BASE_URL, else the run here)")
    demo.add_argument("--api-key", metavar="KEY", help="(default: API_KEY)")
    return parser.parse_args()


def main() -> int:
    """Run the command line; returns the exit code."""
    arguments = parse_arguments()
    commands = {"run": run_service, "invoke": invoke_function, "monitor": show_monitor, "demo": add_pictures}
    try:
        commands[arguments.command](arguments)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a read-only folder, a full disk
        print(
            f"error: {error.strerror}: {error.filename}" if error.filename else f"error: {error}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run_service(arguments: argparse.Namespace) -> None:
    """Run until a signal. Raises LocalError, like the other commands."""
    from local.runner import Runner

    with contextlib.ExitStack() as stack:
        data_dir = arguments.data_dir
        if arguments.ephemeral:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="image-api-")))
            data_dir.chmod(0o711)  # started by root, the servers run as another user
        settings = load_settings(
            data_dir=data_dir,
            template=arguments.template,
            port=arguments.port,
            db_port=arguments.db_port,
            s3_port=arguments.s3_port,
        )
        Runner(settings, arguments.ready_file).run()
        if not arguments.ephemeral:
            command = "the same command" if arguments.data_dir else "make run"
            say(f"The data is in {short(settings.data_dir)}; {command} goes on from there.")


def invoke_function(arguments: argparse.Namespace) -> None:
    """Invoke a function with an event and print its result as JSON. Uses the stores of the current run."""
    from local.gateway.logs import LogSink
    from local.gateway.pool import make_pools
    from local.gateway.worker import InvokeError

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    name = arguments.function
    event = arguments.event.read_text() if arguments.event else "{}"
    info = find_run_info(settings.data_dir)
    if info is None:
        raise LocalError("Nothing runs on that data folder: start `make run` in another terminal first.")
    stores = OwnStores(info["database"]["port"], info["s3"]["endpoint_url"])
    _, pools = make_pools(settings, stores, LogSink(None), only=name)
    if name not in pools:
        raise LocalError(f"{settings.template} has no function {name}.")
    try:
        print(pools[name].invoke(event).decode())
    except InvokeError as error:
        raise LocalError(f"{name} {error}.") from error
    finally:
        pools[name].close()


def show_monitor(arguments: argparse.Namespace) -> None:
    from local.monitor.snapshot import run_monitor

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_monitor(arguments, settings, find_run_info(settings.data_dir))


def add_pictures(arguments: argparse.Namespace) -> None:
    from local.demo.upload import run_demo

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_demo(arguments, settings, find_run_info(settings.data_dir))
