"""python -m local run, invoke, sweep, verify, monitor, demo, key and keys-confirm: see --help.

Each command has its own imports, because importing SAM CLI takes half a second.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local.errors import LocalError
from local.run_info import find_run_info, say, short
from local.settings import load_settings


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=(__doc__ or "").partition("\n")[0])
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-dir", type=Path, metavar="DIR", help="data folder (default: .data)")
    shared.add_argument(
        "--template", type=Path, metavar="FILE", help="template to run (default: template.yaml)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", parents=[shared], help="run PostgreSQL, S3 and the API until Ctrl-C")
    run.add_argument("--port", type=int, help="port of the API; 0 for any free port (default: PORT or 8000)")
    run.add_argument("--db-port", type=int, help="port of PostgreSQL (default: DB_PORT or 5432)")
    run.add_argument(
        "--s3-port", type=int, help="port of S3 (default: S3_PORT, or the port of MINIO_ENDPOINT_URL)"
    )
    run.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="write addresses and keys as JSON to FILE when ready"
    )
    run.add_argument("--ephemeral", action="store_true", help="delete the data at the end")
    invoke = commands.add_parser("invoke", parents=[shared], help="invoke one function beside a run")
    invoke.add_argument("function", help="name of the function in the template")
    invoke.add_argument("event", nargs="?", type=Path, help="a file with the event (default: {})")
    sweep = commands.add_parser("sweep", parents=[shared], help="report what interrupted work left behind")
    sweep.add_argument("--apply", action="store_true", help="clean it up")
    verify = commands.add_parser("verify", parents=[shared], help="compare all rows with their files")
    verify.add_argument(
        "--restore", action="store_true", help="restore files from the versions in the bucket"
    )
    verify.add_argument("--stack", metavar="NAME", help="stack on AWS (default: the local run)")
    monitor = commands.add_parser(
        "monitor", parents=[shared], help="show the processes, requests and stores of a run"
    )
    monitor.add_argument("--once", action="store_true", help="print one table and exit")
    monitor.add_argument("--json", action="store_true", help="print JSON instead of a table")
    demo = commands.add_parser("demo", parents=[shared], help="upload sample images to a running API")
    demo.add_argument("--count", type=int, default=300, help="number of images (default: 300)")
    demo.add_argument(
        "--base-url", metavar="URL", help="address of the API (default: BASE_URL, else the local run)"
    )
    demo.add_argument("--api-key", metavar="KEY", help="(default: API_KEY)")
    api = argparse.ArgumentParser(add_help=False)
    api.add_argument("--stack", metavar="NAME", help="stack on AWS (default: --base-url)")
    api.add_argument(
        "--base-url", metavar="URL", help="address of the API (default: BASE_URL, else the local run)"
    )
    api.add_argument("--api-key", metavar="KEY", help="(default: API_KEY, or the stack's secret)")
    key = commands.add_parser("key", parents=[shared, api], help="create an API key")
    key.add_argument("--name", required=True, help="name of the key, such as its client")
    key.add_argument(
        "--scopes", required=True, help="scopes, separated by commas, such as images:read,images:write"
    )
    key.add_argument("--expires", metavar="TIME", help="expiry in RFC 3339 (default: the latest allowed)")
    confirm = commands.add_parser(
        "keys-confirm", parents=[shared, api], help="list the API keys that a restore has suspended"
    )
    confirm.add_argument("--apply", action="store_true", help="confirm them, so that they work again")
    return parser.parse_args()


def main() -> int:
    """Run the command line. Return the exit code."""
    arguments = parse_arguments()
    commands: dict[str, Callable[[argparse.Namespace], int | None]] = {
        "run": run_service,
        "invoke": invoke_function,
        "sweep": sweep_stores,
        "verify": verify_stores,
        "monitor": show_monitor,
        "demo": add_pictures,
        "key": make_key,
        "keys-confirm": confirm_keys,
    }
    if not getattr(arguments, "stack", None):  # then boto3 only talks to local stores, with their own keys
        os.environ.pop("AWS_PROFILE", None)
        os.environ.pop("AWS_DEFAULT_PROFILE", None)
    # For verify, 1 means that objects are missing or different.
    failed = 2 if arguments.command == "verify" else 1
    try:
        return commands[arguments.command](arguments) or 0
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return failed
    except OSError as error:  # a read-only folder, a full disk
        print(
            f"error: {error.strerror}: {error.filename}" if error.filename else f"error: {error}",
            file=sys.stderr,
        )
        return failed
    except KeyboardInterrupt:
        return 130


def run_service(arguments: argparse.Namespace) -> None:
    """Run until a signal. Raises LocalError, like the other commands."""
    from local.runner import Runner

    with contextlib.ExitStack() as stack:
        data_dir = arguments.data_dir
        if arguments.ephemeral:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="image-api-")))
            data_dir.chmod(0o711)  # if root starts the servers, they run as another user
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
            say(f"The data stays in {short(settings.data_dir)}. To continue, run {command} again.")


def invoke_function(arguments: argparse.Namespace) -> None:
    """Invoke a function with an event and print its result as JSON. Uses the stores of the current run."""
    from local.invocation import local_function

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    event = arguments.event.read_text() if arguments.event else "{}"
    with local_function(settings, arguments.function) as invoke:
        print(invoke(event))


def sweep_stores(arguments: argparse.Namespace) -> None:
    """Report or clean up interrupted work."""
    from local.sweep import run_sweep

    run_sweep(arguments, load_settings(data_dir=arguments.data_dir, template=arguments.template))


def verify_stores(arguments: argparse.Namespace) -> int:
    """Compare rows with objects. Return the exit code."""
    from local.verify import run_verify

    return run_verify(arguments, load_settings(data_dir=arguments.data_dir, template=arguments.template))


def show_monitor(arguments: argparse.Namespace) -> None:
    from local.monitor.snapshot import run_monitor

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_monitor(arguments, settings, find_run_info(settings.data_dir))


def add_pictures(arguments: argparse.Namespace) -> None:
    from local.demo.upload import run_demo

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_demo(arguments, settings, find_run_info(settings.data_dir))


def make_key(arguments: argparse.Namespace) -> None:
    from local.key import run_key

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_key(arguments, settings, find_run_info(settings.data_dir))


def confirm_keys(arguments: argparse.Namespace) -> None:
    from local.key import run_keys_confirm

    settings = load_settings(data_dir=arguments.data_dir, template=arguments.template)
    run_keys_confirm(arguments, settings, find_run_info(settings.data_dir))
